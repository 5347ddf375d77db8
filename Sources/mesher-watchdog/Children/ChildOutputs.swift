internal import System

extension Watchdog {
    /// Begins to forward a child's output.
    mutating func add(_ output: ErrorOutput) throws(SystemError) {
        try epoll.add(output.number, token: WatchdogToken.output(output.serial).number, .read)
        outputs[output.serial] = output
        output.isLeftOut = false
    }

    /// Forwards output. While standard error is full, `resumeOutputs` retries.
    mutating func forward(_ output: ErrorOutput) {
        switch output.forward() {
        case .waiting: return
        case .blocked: output.isLeftOut = true
        case .ended: outputs[output.serial] = nil
        }
        epoll.remove(output.number)
    }

    /// Retries the outputs for which there was no room. Once per tick, since standard error may be something that epoll
    /// cannot wait for.
    mutating func resumeOutputs() {
        for output in outputs.values where output.isLeftOut && (try? add(output)) != nil { forward(output) }
    }
}
