// The peer of the protocol test suite: sends back every message that comes, as server or as client.
//
//   websocket-echo serve        listens on a port of 127.0.0.1 that it prints, for one connection after the other
//   websocket-echo drive PORT   runs all cases of a fuzzing server there
import Glibc

switch CommandLine.arguments.dropFirst() {
case ["serve"]:
    let listener = Socket.listen()
    print(listener.port)
    fflush(nil)
    while true { serve(listener.accept()) }
case let arguments where arguments.first == "drive" && arguments.count == 2:
    drive(UInt16(arguments.last ?? "") ?? 0)
default:
    print("usage: websocket-echo serve | drive PORT")
    exit(64)
}
