internal import EventLoop

extension Watchdog {
    /// Begins to pass on what a child says.
    mutating func add(_ output: ErrorOutput) throws(SystemError) {
        try epoll.add(output.number, token: WatchdogToken.output(output.serial).number, .read)
        outputs[output.serial] = output
        output.isLeftOut = false
    }

    /// Passes on what was said. While standard error takes no more, it is tried again by `resumeOutputs`.
    mutating func forward(_ output: ErrorOutput) {
        switch output.forward() {
        case .waiting: return
        case .blocked: output.isLeftOut = true
        case .ended: outputs[output.serial] = nil
        }
        epoll.remove(output.number)
    }

    /// Tries again with those for which there was no room: once a tick, since standard error may be anything, also what
    /// epoll cannot wait for.
    mutating func resumeOutputs() {
        for output in outputs.values where output.isLeftOut && (try? add(output)) != nil { forward(output) }
    }
}
