import Foundation
import Testing

/// The shell around the supervisor: real processes, signals, descriptors and files.
struct WatchdogTests {
    @Test("It starts storage, the workers and one for bulk, each with its argument")
    func startsChildren() throws {
        let watchdog = try WatchdogProcess()
        let lines = try watchdog.awaitStarts(4).map(\.line)
        #expect(
            lines.sorted() == ["mesher-storage", "mesher-worker bulk", "mesher-worker events", "mesher-worker events"])
    }

    @Test("Its sockets can be reached by owner and group, and its own number is in a file")
    func opensFiles() throws {
        let watchdog = try WatchdogProcess()
        _ = try watchdog.awaitStarts(4)
        for name in ["events.sock", "bulk.sock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(watchdog.runDirectory)/\(name)")
            #expect(attributes[.type] as? FileAttributeType == .typeSocket)
            #expect(attributes[.posixPermissions] as? Int == 0o660)
        }
        let file = try String(contentsOfFile: watchdog.runDirectory + "/watchdog.pid", encoding: .utf8)
        #expect(file == "\(watchdog.pid)\n")
    }

    @Test("A child gets its own settings, the secret ones in no environment, and nothing of the caller's")
    func environment() throws {
        let watchdog = try WatchdogProcess([
            "MESHER_WORKERS=1", "MESHER_STORAGE_DATABASE_URL=postgresql:///x", "MESHER_REDIS_PORT=7",
            "MESHER_REDIS_PASSWORD=p",
        ])
        for child in try watchdog.awaitStarts(3) {
            let text = try String(contentsOfFile: "\(watchdog.folder)/environment.\(child.pid)", encoding: .utf8)
            // PWD and the like are what sh(1) adds itself.
            let names = text.split(separator: "\n").filter { $0.hasPrefix("MESHER_") || $0.hasPrefix("SECRET") }
                .sorted()
            let isStorage = child.line == "mesher-storage"
            let expected =
                ["MESHER_READY_FD=3", "MESHER_RUN_DIR=\(watchdog.runDirectory)", "MESHER_SECRETS_FD=5"]
                + (isStorage ? [] : ["MESHER_REDIS_PORT=7"])
            #expect(names.map(String.init).filter { !$0.hasPrefix("MESHER_SLOT=") } == expected.sorted())
            let secrets = try String(contentsOfFile: "\(watchdog.folder)/secrets.\(child.pid)", encoding: .utf8)
            #expect(
                secrets
                    == (isStorage ? "MESHER_STORAGE_DATABASE_URL=postgresql:///x\n" : "MESHER_REDIS_PASSWORD=p\n"))
        }
    }

    @Test("A worker has the listening socket as descriptor 0, storage nothing, and no child any other descriptor")
    func descriptors() throws {
        let watchdog = try WatchdogProcess()
        for child in try watchdog.awaitStarts(4) {
            let text = try String(contentsOfFile: "\(watchdog.folder)/descriptors.\(child.pid)", encoding: .utf8)
            let links = text.split(separator: "\n").filter { $0.contains("->") }.compactMap { line -> (Int, String)? in
                let words = line.split(separator: " ").map(String.init)
                return Int(words[words.count - 3]).map { ($0, words[words.count - 1]) }
            }
            let byNumber = Dictionary(uniqueKeysWithValues: links)
            #expect(byNumber[0]?.hasPrefix(child.line == "mesher-storage" ? "/dev/null" : "socket:") == true)
            #expect(byNumber[3]?.hasPrefix("pipe:") == true)
            // sh(1) keeps its script open above.
            #expect(byNumber.keys.filter { (4..<10).contains($0) } == [])
        }
    }

    @Test("A child that is killed is started again, and the others go on")
    func restarts() throws {
        let watchdog = try WatchdogProcess()
        let children = try watchdog.awaitStarts(4)
        let storage = try #require(children.first { $0.line == "mesher-storage" })
        kill(storage.pid, SIGKILL)
        let after = try watchdog.awaitStarts(5)
        #expect(after[4].line == "mesher-storage")
        #expect(watchdog.log.contains("signal 9"))
        for child in children where child.pid != storage.pid { #expect(kill(child.pid, 0) == 0) }
    }

    @Test("A program that is not there is an early death with its reason, and takes nobody along")
    func missingProgram() throws {
        let watchdog = try WatchdogProcess(storage: nil)
        let workers = try watchdog.awaitStarts(3)
        try watchdog.awaitLog("No such file or directory")
        try watchdog.awaitLog("child died early")
        for worker in workers { #expect(kill(worker.pid, 0) == 0) }
    }

    @Test("A program that may not be run is an early death with its reason")
    func forbiddenProgram() throws {
        let watchdog = try WatchdogProcess(storage: "")
        chmod(watchdog.folder + "/mesher-storage", 0o644)
        try watchdog.awaitLog("child died early")
        try watchdog.awaitLog("Permission denied")
    }

    @Test(
        "How an early death came and the child's last words are in the message, and in that of the end",
        arguments: [
            ("echo 'cannot open it' >&2; exit 3", "exit status 3, last words: cannot open it"),
            ("echo >&2 'Fatal error: Index out of range'; kill -ILL $$", "signal 4, last words: Fatal error: Index"),
            ("exit 5", "exit status 5"),
        ] as [(String, String)])
    func lastWords(script: String, ending: String) throws {
        let watchdog = try WatchdogProcess(
            worker: "#!/bin/sh\n\(script)\n", ["MESHER_WORKERS=1", "MESHER_START_TIMEOUT=1"])
        #expect(watchdog.awaitExit() == 1)
        let lines = watchdog.log.split(separator: "\n")
        #expect(lines.contains { $0.contains("child died early") && $0.contains(ending) })
        let last = try #require(lines.last { $0.contains("no worker became ready") })
        #expect(last.contains("worker events 0: \(ending)") && last.contains("storage: ") == false, "\(watchdog.log)")
    }

    @Test("What children say is passed on whole, also what they said while nobody took it")
    func passesOn() throws {
        let watchdog = try WatchdogProcess(
            worker: Self.patientSpeaker, ["MESHER_WORKERS=1"],
            prefix: ["bash", "-c", #"exec "$@" 2> >(sleep 1; exec cat >&2)"#, "bash"])
        for name in ["events", "bulk"] {
            try watchdog.awaitLog("line 2000 of \(name)")
            let said = watchdog.log.split(separator: "\n").map(String.init).filter { $0.hasSuffix(" of " + name) }
            let wanted = (1...2000).map { "line \($0) of \(name)" }
            #expect(said == wanted)
        }
    }

    /// Says more than the few kilobytes that are written at once.
    private static let patientSpeaker = WatchdogProcess.patientChild.replacingOccurrences(
        of: "exec sleep", with: "i=0; while [ $((i += 1)) -le 2000 ]; do echo >&2 line $i of $1; done\nexec sleep")

    @Test(
        "SIGTERM and SIGINT stop everything, workers before storage, and no file stays but the counters",
        arguments: [SIGTERM, SIGINT])
    func stops(signal: Int32) throws {
        let watchdog = try WatchdogProcess()
        let children = try watchdog.awaitStarts(4)
        let areStarted = watchdog.eventually { watchdog.log.split(separator: "child started").count == 6 }
        try #require(areStarted, "\(watchdog.log)")
        watchdog.signal(signal)
        #expect(watchdog.awaitExit() == 0)
        for child in children { #expect(kill(child.pid, 0) != 0) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: watchdog.runDirectory) == ["scoreboard"])
        let endings = watchdog.log.split(separator: "\n").filter { $0.contains("child ended") }
        #expect(endings.count == 5)
        #expect(endings.last?.contains("child=storage") == true)
    }

    @Test("It stops by SIGTERM also when its parent ignored the signal")
    func ignoredSignal() throws {
        let watchdog = try WatchdogProcess(prefix: ["sh", "-c", "trap '' TERM; exec \"$@\"", "sh"])
        _ = try watchdog.awaitStarts(4)
        watchdog.signal(SIGTERM)
        #expect(watchdog.awaitExit() == 0)
    }

    @Test("A hang-up does not end it")
    func hangUp() throws {
        let watchdog = try WatchdogProcess()
        _ = try watchdog.awaitStarts(4)
        watchdog.signal(SIGHUP)
        watchdog.signal(SIGTERM)
        #expect(watchdog.awaitExit() == 0)
    }

    @Test("A second watchdog of the same directory refuses to start and leaves the first alone")
    func isAlone() throws {
        let watchdog = try WatchdogProcess()
        let children = try watchdog.awaitStarts(4)
        let second = try WatchdogProcess(["MESHER_RUN_DIR=\(watchdog.runDirectory)"])
        #expect(second.awaitExit() == 71)
        #expect(second.log.contains("another watchdog is running, process \(watchdog.pid)"))
        for child in children { #expect(kill(child.pid, 0) == 0) }
        #expect(FileManager.default.fileExists(atPath: watchdog.runDirectory + "/events.sock"))
    }

    @Test("What a killed watchdog has left does not keep the next one from starting")
    func startsOverRemains() throws {
        let first = try WatchdogProcess()
        _ = try first.awaitStarts(4)
        first.signal(SIGKILL)
        _ = first.awaitExit()
        let second = try WatchdogProcess(["MESHER_WORKERS=1", "MESHER_RUN_DIR=\(first.runDirectory)"])
        try second.awaitLog("child ready")
    }

    @Test("Sockets that systemd passes are used by their names, and not made again")
    func passedSockets() throws {
        let script = """
            import os, socket, sys
            for number, name in ((3, 'bulk'), (4, 'events')):
                listener = socket.socket(socket.AF_UNIX)
                listener.bind('\\0mesher-test-%s-%d' % (name, os.getpid()))
                listener.listen()
                os.dup2(listener.detach(), number + 10)
            for number in (3, 4):
                os.dup2(number + 10, number)
                os.close(number + 10)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='bulk:events')
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let watchdog = try WatchdogProcess(["MESHER_WORKERS=1"], prefix: ["python3", "-c", script])
        let children = try watchdog.awaitStarts(3)
        #expect(!FileManager.default.fileExists(atPath: watchdog.runDirectory + "/events.sock"))
        let table = try #require(FileHandle(forReadingAtPath: "/proc/net/unix")?.readDataToEndOfFile())
        let names = String(decoding: table, as: UTF8.self)
        for child in children where child.line != "mesher-storage" {
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(child.pid)/fd/0")
            let inode = link.dropFirst("socket:[".count).dropLast()
            let line = names.split(separator: "\n").first { $0.split(separator: " ").contains(inode) }
            let listener = child.line.split(separator: " ")[1]
            #expect(line?.hasSuffix("@mesher-test-\(listener)-\(watchdog.pid)") == true)
        }
    }

    @Test(
        "A command line that makes no sense ends it with 64, a wrong setting with 78",
        arguments: [
            (["--nonsense"], 64, "--nonsense"), (["MESHER_NONSENSE=1"], 78, "MESHER_NONSENSE"),
            (["MESHER_WORKERS=many"], 78, "MESHER_WORKERS"), (["--config", "/nowhere/mesher.conf"], 78, "/nowhere"),
        ] as [([String], Int32, String)])
    func refusesToStart(arguments: [String], status: Int32, named: String) throws {
        let watchdog = try WatchdogProcess(arguments)
        #expect(watchdog.awaitExit() == status)
        #expect(watchdog.log.contains(named))
    }
}
