import CSystem
import Glibc
import RecordedInputs

/// A run of one parser over damaged input, in a process of its own: what kills that is kept.
struct FuzzRun {
    let target: FuzzTarget
    let seconds: Int
    let seed: UInt64

    /// A hundred inputs that take more of the processor, in seconds, are as bad as one that kills.
    private static let patience = 20
    /// The longest input, in bytes.
    private static let longest = 1 << 20

    /// - Returns: whether the parser survived.
    func run() -> Bool {
        guard let room = Room(count: Self.longest) else { return false }
        // What is not written yet would be written twice.
        fflush(nil)
        let child = fork()
        if child == 0 {
            damage(room)
            _exit(0)
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        if status == 0 {
            print("\(target.rawValue): \(room.runs) inputs in \(seconds) s, none of them harmful (seed \(seed))")
            return true
        }
        let signal = mesher_termination_signal(status)
        let path = "fuzz-\(target.rawValue).input"
        print(
            "\(target.rawValue): ended by \(signal == 0 ? "an exit" : "signal \(signal)") after \(room.runs) inputs (seed \(seed))"
        )
        print(
            room.save(to: path)
                ? "the input is in \(path): fuzz replay \(target.rawValue) \(path)" : "cannot write \(path)")
        return false
    }

    private func damage(_ room: Room) {
        let consume = target.makeConsumer()
        var mutations = Mutations(of: target.seeds, seed: seed)
        let end = time(nil) + seconds
        while time(nil) < end {
            // SIGPROF ends the process. Other processes may keep it from running for longer than that.
            var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: Self.patience, tv_usec: 0))
            setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
            for _ in 0..<100 {
                var input = mutations.next()
                // Some are made long: what is quadratic shows only there.
                if room.runs % 512 == 0 { Self.lengthen(&input, room.runs) }
                room.keep(input)
                consume(input)
            }
        }
    }

    private static func lengthen(_ input: inout [UInt8], _ number: Int) {
        guard !input.isEmpty else { return }
        let start = number / 512 % input.count
        let piece = input[start..<min(start + 1 + number / 512 % 16, input.count)]
        let count = min(50_000, (longest - input.count) / piece.count)
        input.insert(contentsOf: Array(repeating: piece, count: count).joined(), at: start)
    }
}

/// Memory that two processes share: the input that is being read, and how many there were.
private struct Room {
    private let memory: UnsafeMutableRawPointer
    private let capacity: Int

    private static let headSize = 2 * MemoryLayout<Int>.size

    init?(count: Int) {
        capacity = count
        let mapped = mmap(
            nil, Self.headSize + count, PROT_READ | PROT_WRITE, Int32(MAP_SHARED | MAP_ANONYMOUS), -1, 0)
        guard let mapped, mapped != MAP_FAILED else { return nil }
        memory = mapped
    }

    var runs: Int { memory.load(as: Int.self) }

    func keep(_ input: [UInt8]) {
        let count = min(input.count, capacity)
        memory.storeBytes(of: runs + 1, as: Int.self)
        memory.storeBytes(of: count, toByteOffset: MemoryLayout<Int>.size, as: Int.self)
        input.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { (memory + Self.headSize).copyMemory(from: start, byteCount: count) }
        }
    }

    func save(to path: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        let count = memory.load(fromByteOffset: MemoryLayout<Int>.size, as: Int.self)
        let written = fwrite(memory + Self.headSize, 1, count, file)
        return fclose(file) == 0 && written == count
    }
}
