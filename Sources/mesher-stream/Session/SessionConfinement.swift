internal import Confinement
internal import Glibc
internal import Redis
internal import Scoreboard
internal import System

/// What a session gives up, once and for all, before it reads what a stranger has sent.
enum SessionConfinement {
    /// The descriptor of the connection; those below it are the standard ones.
    private static let connectionNumber: CInt = 3
    /// Bytes of address space: several times what the largest message takes on its way.
    private static let addressSpace: UInt64 = 512 << 20
    /// The session's own descriptors, and those of looking up a name.
    private static let descriptors: rlim_t = 32

    /// Detaches the process: it ends with the listener, and keeps no descriptor of it except the connection.
    ///
    /// - Parameter parent: the listener.
    static func begin(_ connection: consuming Descriptor, parent: pid_t) throws(SystemError) -> Descriptor {
        guard ProcessAttributes.endWith(parent: parent) else { throw SystemError("getppid", code: ESRCH) }
        guard dup2(connection.release(), connectionNumber) == connectionNumber else { throw SystemError("dup2") }
        ProcessAttributes.closeDescriptors(from: connectionNumber + 1)
        return Descriptor(adopting: connectionNumber)
    }

    /// Gives up what is no longer needed, and records that in the listener's slot.
    static func finish(_ redis: RedisServer, _ slot: ProcessSlot) {
        ProcessAttributes.limit(RLIMIT_NOFILE, to: descriptors)
        slot.set(bonds: Sandbox.edge(redisPorts: redis.tcpPorts, addressSpace: addressSpace).begin().rawValue)
    }
}
