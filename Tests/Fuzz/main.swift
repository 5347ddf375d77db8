import Glibc

/// Feeds each parser that strangers feed with damaged input: `fuzz SECONDS [SEED [PARSER]]`, each so long, from a seed of
/// today or one that was printed before; `fuzz replay PARSER FILE` gives it one input again.
func run(_ arguments: [String]) -> Int32 {
    if arguments.count == 3, arguments[0] == "replay", let target = FuzzTarget(rawValue: arguments[1]) {
        guard let input = read(arguments[2]) else {
            print("cannot read \(arguments[2])")
            return 66
        }
        target.makeConsumer()(input)
        print("\(target.rawValue): not harmful")
        return 0
    }
    guard (1...3).contains(arguments.count), let seconds = Int(arguments[0]), seconds > 0,
        let seed = arguments.count == 1 ? UInt64(time(nil)) : UInt64(arguments[1]),
        case let targets = FuzzTarget.allCases.filter({ arguments.count < 3 || $0.rawValue == arguments[2] }),
        !targets.isEmpty
    else {
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
        print("usage: fuzz SECONDS [SEED [\(names)]] | fuzz replay \(names) FILE")
        return 64
    }
    let survived = targets.map { FuzzRun(target: $0, seconds: seconds, seed: seed).run() }
    return survived.allSatisfy { $0 } ? 0 : 1
}

private func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var input: [UInt8] = []
    while case let byte = getc(file), byte != EOF { input.append(UInt8(truncatingIfNeeded: byte)) }
    return input
}

exit(run(Array(CommandLine.arguments.dropFirst())))
