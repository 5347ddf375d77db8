import Dispatch
import Testing

/// Runs the tests of a suite on a thread of its own. Swift has one a processor for all tests, and these mostly wait for what
/// they have started.
struct OwnThreadTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(OwnThread(), operation: function)
    }
}

extension Trait where Self == OwnThreadTrait {
    static var ownThread: Self { OwnThreadTrait() }
}

private final class OwnThread: TaskExecutor {
    private let queue = DispatchQueue(label: "suite")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
