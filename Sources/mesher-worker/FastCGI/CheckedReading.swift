internal import EventLoop
internal import Glibc

/// All that libfcgi reads comes by this way, so that it sees nothing that was not found harmless.
///
/// libfcgi reads by a function that it exports, `OS_Read`. One of that name in the program takes its place, ld.so(8), as a
/// program's own malloc(3) does. A look at the socket before would cost a system call for each request, and could not
/// tell what comes behind it.
enum CheckedReading {
    /// Of the request that is being read; a process reads one at a time.
    nonisolated(unsafe) private static var check = RecordCheck()
    nonisolated(unsafe) private static var reads = 0

    /// Another request is going to be read.
    static func begin() {
        check = RecordCheck()
    }

    /// Whether the request has come to its end, and all of it was found harmless.
    static var isWhole: Bool { check.isWhole }

    /// The corresponding C function is `read`.
    ///
    /// - Returns: 0, as at the peer's end, from the first bytes on that nginx would not send.
    fileprivate static func read(_ socket: CInt, _ buffer: UnsafeMutableRawPointer?, _ capacity: Int) -> CInt {
        reads &+= 1
        let count = Glibc.read(socket, buffer, capacity)
        guard count > 0 else { return CInt(clamping: count) }
        return check.take(UnsafeRawBufferPointer(start: buffer, count: count)) ? CInt(clamping: count) : 0
    }

    /// Whether the libfcgi of this host lets its function be replaced: tried on a connection whose peer has gone.
    static func isInForce() -> Bool {
        var pair: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0 else { return false }
        close(pair[0])
        let before = reads
        _ = FastCGIConnection(adopting: Descriptor(adopting: pair[1])).read()
        return reads != before
    }
}

@_cdecl("OS_Read")
public func readForLibrary(_ socket: CInt, _ buffer: UnsafeMutableRawPointer?, _ capacity: Int) -> CInt {
    CheckedReading.read(socket, buffer, capacity)
}
