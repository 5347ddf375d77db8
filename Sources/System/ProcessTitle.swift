internal import CSystem
internal import Glibc

/// What ps(1) and top(1) show of this process.
package struct ProcessTitle {
    /// The arguments and the environment as the kernel has laid them out, one string behind the other, proc(5).
    private let room: UnsafeMutableRawBufferPointer

    /// Finds where the title is. To be made once, before one is set.
    package init() {
        let arguments = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        guard let start = arguments.first ?? nil else {
            room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            return
        }
        var end = start
        for argument in arguments where argument == end { end += strlen(end) + 1 }
        var variable = mesher_environment()
        while let text = variable?.pointee, text == end {
            end += strlen(end) + 1
            variable = variable?.advanced(by: 1)
        }
        room = UnsafeMutableRawBufferPointer(start: start, count: end - start)
    }

    /// Replaces the command line, as setproctitle(3) of the BSDs does: the text is written over the arguments and the
    /// environment, of which nothing may be read afterwards. What does not fit is cut.
    package func set(_ text: String) {
        guard !room.isEmpty else { return }
        room.initializeMemory(as: UInt8.self, repeating: 0)
        room.copyBytes(from: text.utf8.prefix(room.count - 1))
    }
}
