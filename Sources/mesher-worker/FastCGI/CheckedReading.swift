internal import Glibc
internal import System

/// Everything libfcgi reads passes through here, so that it sees only bytes that were checked.
///
/// libfcgi reads by a function that it exports, `OS_Read`. A function of that name in the program replaces it,
/// ld.so(8), as a program's own malloc(3) would. Peeking at the socket instead would cost a system call per request,
/// and could not see what follows.
enum CheckedReading {
    /// Of the request that is being read; a process reads one at a time.
    nonisolated(unsafe) private static var check = RecordCheck()
    nonisolated(unsafe) private static var reads = 0

    /// A new request begins.
    static func begin() {
        check = RecordCheck()
    }

    /// Whether the whole request was read, and all of it passed the check.
    static var isWhole: Bool { check.isWhole }

    /// The corresponding C function is `read`.
    ///
    /// - Returns: 0, as at the peer's end, from the first bytes that nginx would not send.
    fileprivate static func read(_ socket: CInt, _ buffer: UnsafeMutableRawPointer?, _ capacity: Int) -> CInt {
        reads &+= 1
        let count = Glibc.read(socket, buffer, capacity)
        guard count > 0 else { return CInt(clamping: count) }
        return check.accept(UnsafeRawBufferPointer(start: buffer, count: count)) ? CInt(clamping: count) : 0
    }

    /// Whether this host's libfcgi lets its function be replaced; tested on a connection whose peer has closed.
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
