import Testing

/// What the whole of Mesher does, behind a real nginx and before a real PostgreSQL. The tests share one stack, and run one
/// after the other so that what each sees is its own doing.
@Suite(.ownThread, .sharedStack, .serialized, .enabled(if: Stack.isBuilt, "make build has made no programs yet"))
enum EndToEnd {}

/// The same, of a stack that each test starts for itself.
@Suite(.ownThread, .serialized, .enabled(if: Stack.isBuilt, "make build has made no programs yet"))
enum OwnStack {}

/// Starts a stack before the first test of a suite and stops it after the last one, whatever they did.
struct SharedStackTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
        defer { stack.stop() }
        try await Stack.$current.withValue(stack, operation: function)
    }
}

extension Trait where Self == SharedStackTrait {
    static var sharedStack: Self { SharedStackTrait() }
}

extension EndToEnd {
    /// The stack that the tests of this suite share.
    static func stack() throws -> Stack {
        try #require(Stack.current)
    }
}
