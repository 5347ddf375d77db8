"""Autobahn's test suite, which was written for Python 2.7, on Python 3; used by development/conformance.

  wstest.py fuzzingclient SPEC    the suite is the client of the servers in the specification
  wstest.py fuzzingserver SPEC    the suite is the server

The suite keeps octets in Python 2's strings. Here its cases keep them in strings of the characters U+0000 to U+00FF, which are
made bytes, and back, between the cases and the protocol. The cases themselves and what they expect are the suite's own.
"""
import json
import os
import sys

import autobahntestsuite.fuzzing as fuzzing
from autobahntestsuite.case.case import Case
from twisted.internet import reactor


def octets(text):
    return text.encode("latin-1") if isinstance(text, str) else text


def text(octets):
    return octets.decode("latin-1") if isinstance(octets, bytes) else octets


def texts(value):
    """The same lists and tuples with texts for octets."""
    return type(value)(map(texts, value)) if isinstance(value, (list, tuple)) else text(value)


class Conversion:
    """Stands between a case and the protocol."""

    def sendFrame(self, opcode, payload=b"", fin=True, rsv=0, mask=None, payload_len=None, chopsize=None, sync=False):
        payload = octets(payload)
        if payload_len is not None:
            # The protocol's own way divides a length by another, which is no whole number on Python 3.
            payload = (payload * (payload_len // len(payload) + 1))[:payload_len]
        super().sendFrame(opcode, payload, fin, rsv, octets(mask), None, chopsize, sync)

    def sendMessage(self, payload, *arguments, **options):
        super().sendMessage(octets(payload), *arguments, **options)

    def sendMessageFrameData(self, payload, *arguments):
        return super().sendMessageFrameData(octets(payload), *arguments)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        super().sendCloseFrame(code, octets(reasonUtf8), isReply)

    def onMessage(self, payload, isBinary):
        # The cases of compression hash what they receive, and expect octets.
        isHashed = self.runCase and self.Case.__name__.startswith(("Case12_", "Case13_"))
        super().onMessage(payload if isHashed else text(payload), isBinary)

    def onPong(self, payload):
        super().onPong(text(payload))

    # What is written to the reports, of which only the outcome is needed; a case looks at the counts of frames.

    def logRxOctets(self, data):
        pass

    def logTxOctets(self, data, sync):
        pass

    def logRxFrame(self, frameHeader, payload):
        pass

    def logTxFrame(self, frameHeader, *_):
        self.txFrameStats[frameHeader.opcode] = self.txFrameStats.get(frameHeader.opcode, 0) + 1


class ServerProtocol(Conversion, fuzzing.FuzzingServerProtocol):
    pass


class ClientProtocol(Conversion, fuzzing.FuzzingClientProtocol):
    pass


def report(protocol, reason):
    """What the suite does when a connection has ended, as far as it is about the outcome."""
    case = protocol.runCase
    if not case:
        return
    case.onConnectionLost(protocol.failedByMe)
    protocol.factory.logCase({
        "id": protocol.factory.CaseSet.caseClasstoId(protocol.Case), "agent": protocol.caseAgent,
        "description": protocol.Case.DESCRIPTION, "expectation": protocol.Case.EXPECTATION,
        "behavior": case.behavior, "result": case.result, "expected": case.expected, "received": case.received,
        "behaviorClose": case.behaviorClose, "resultClose": case.resultClose, "expectedClose": case.expectedClose,
        "remoteCloseCode": protocol.remoteCloseCode, "remoteCloseReason": protocol.remoteCloseReason,
        "wasNotCleanReason": protocol.wasNotCleanReason})


def create_reports(factory):
    """Writes a file for each case and an index of them, as the suite does in JSON."""
    index = {}
    for agent, cases in factory.agents.items():
        for name, case in cases.items():
            file = f"{agent}_case_{name.replace('.', '_')}.json"
            with open(os.path.join(factory.outdir, file), "w") as output:
                json.dump(case, output, indent=1, default=repr)
            outcome = {key: case[key] for key in ("behavior", "behaviorClose")}
            index.setdefault(agent, {})[name] = {**outcome, "reportfile": file}
    with open(os.path.join(factory.outdir, "index.json"), "w") as output:
        json.dump(index, output)


fuzzing.FuzzingProtocol.connectionLost = report
fuzzing.FuzzingFactory.createReports = create_reports
fuzzing.FuzzingServerFactory.protocol = ServerProtocol
fuzzing.FuzzingClientProtocol = ClientProtocol
# It compares pickles, which depend on which of the parts are one object.
Case.compare = lambda self, one, other: texts(one) == texts(other)

mode, path = sys.argv[1:]
with open(path) as file:
    spec = json.load(file)
if mode == "fuzzingclient":
    fuzzing.startClient(spec)
else:
    fuzzing.startServer(spec, 0)
reactor.run()
