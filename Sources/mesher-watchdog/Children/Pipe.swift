internal import Glibc
internal import System

/// A pipe that is not inherited, and whose reading end does not block. The corresponding C function is `pipe`.
struct Pipe: ~Copyable {
    let reading: Descriptor
    let writing: Descriptor

    static func open() throws(SystemError) -> Pipe {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("pipe") }
        let pipe = Pipe(reading: Descriptor(adopting: ends[0]), writing: Descriptor(adopting: ends[1]))
        // Not at once, as pipe2 would; but this process has one thread, so nothing is started in between.
        for number in ends {
            guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { throw SystemError("fcntl") }
        }
        try pipe.reading.setBlocking(false)
        return pipe
    }

    /// The reading end of one in which there are these bytes, and to which nobody writes any more. The corresponding C
    /// functions are `pipe` and `write`.
    ///
    /// - Throws: `SystemError`, with E2BIG when it has no room for them.
    static func holding(_ bytes: [UInt8]) throws(SystemError) -> Descriptor {
        let pipe = try open()
        try pipe.writing.setBlocking(false)
        guard write(pipe.writing.number, bytes, bytes.count) == bytes.count else {
            throw SystemError("write", "a pipe with secret settings", code: E2BIG)
        }
        return pipe.reading
    }
}
