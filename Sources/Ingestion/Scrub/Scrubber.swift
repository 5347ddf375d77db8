internal import CJSON

/// Removes from events what a project does not want to be stored, in one pass over the text of each.
///
/// The text must be valid JSON; what comes out is, too, with the same structure but for objects and arrays that were removed as a
/// whole. Time and memory are proportional to its size.
package struct Scrubber: ~Copyable {
    /// Where the walk is in the containers around a place.
    struct Level {
        let isObject: Bool
        /// Whether everything within is removed.
        let isRemoved: Bool
        /// Whether the next string is a name.
        var expectsName: Bool
        /// What is known of the next value.
        var next = Treatment()
        /// Whether the object has a member `name` or `key` that is such a name, so that its `value` is removed.
        var namesValue = false
        /// Of the object's member: whether it is `name` or `key`.
        var isNaming = false
        /// Whether the next element is the first.
        var isFirst = true
    }

    /// What happens to a value.
    struct Treatment {
        var isRemoved = false
        /// It identifies the event, and stays as it is.
        var isKept = false
        var isVersion = false
    }

    /// The most levels; deeper ones are removed. The parser takes fewer.
    private static let mostLevels = 1_024

    var output = ScrubbedText()
    var json = UnsafeRawBufferPointer(start: nil, count: 0)
    var position = 0
    private var levels: [Level] = []
    /// A string with its escapes resolved.
    private var resolved = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private static let keptSize = 64 << 10

    package init() {}

    deinit {
        resolved.deallocate()
    }

    /// The text without what is to be removed, with `Body.padding` bytes behind it that may be read; nil when there is nothing.
    /// It is valid until `trim` or the next text.
    package mutating func scrub(_ json: UnsafeRawBufferPointer, _ plan: ScrubPlan) -> UnsafeMutableRawBufferPointer? {
        self.json = json
        position = 0
        levels.removeAll(keepingCapacity: true)
        output.begin(json)
        while position < json.count { step(plan) }
        return output.hasChanges ? output.finish() : nil
    }

    /// Releases the memory that a large event needed.
    package mutating func trim() {
        output.trim()
        guard resolved.count > Self.keptSize else { return }
        resolved.deallocate()
        resolved = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Passes over one token.
    private mutating func step(_ plan: ScrubPlan) {
        switch json[position] {
        case UInt8(ascii: "\""): string(plan)
        case UInt8(ascii: "{"): open(isObject: true)
        case UInt8(ascii: "["): open(isObject: false)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            _ = levels.popLast()
            position += 1
        case UInt8(ascii: ","):
            position += 1
            guard let last = levels.indices.last, levels[last].isObject else { return }
            levels[last].expectsName = true
        case UInt8(ascii: "-"), 0x30...0x39: number(plan)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            _ = takeTreatment()
            position = end { UnsafeRawBufferPointer.isLetter($0) }
        default: position += 1
        }
    }

    // MARK: Values

    /// What happens to the value that begins here.
    private mutating func takeTreatment() -> Treatment {
        guard let last = levels.indices.last else { return Treatment() }
        var treatment = levels[last].next
        if levels[last].isRemoved { treatment.isRemoved = true }
        levels[last].next = Treatment()
        levels[last].isFirst = false
        return treatment
    }

    private mutating func open(isObject: Bool) {
        let isField = levels.count == 1
        let treatment = takeTreatment()
        let isTooDeep = levels.count >= Self.mostLevels
        // A field of the event itself stays what it is, since the contract says what it must be.
        if isTooDeep || treatment.isRemoved && !isField && levels.last?.isRemoved == false { return removeContainer() }
        levels.append(Level(isObject: isObject, isRemoved: treatment.isRemoved, expectsName: isObject))
        position += 1
    }

    /// Removes an object or an array, unless it is empty.
    private mutating func removeContainer() {
        let start = position
        var depth = 0
        var isEmpty = true
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                isEmpty = isEmpty && depth == 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                isEmpty = false
                _ = passString()
                position -= 1
            default: isEmpty = isEmpty && UnsafeRawBufferPointer.isJSONSpace(json[position])
            }
            position += 1
            if depth == 0 { break }
        }
        if !isEmpty { replace(start..<position, "\"[Filtered]\"", or: "\"*\"") }
    }

    private mutating func number(_ plan: ScrubPlan) {
        let start = position
        position = end { byte in
            switch byte {
            case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
            default: UnsafeRawBufferPointer.isDigit(byte)
            }
        }
        let treatment = takeTreatment()
        guard !treatment.isKept else { return }
        let text = UnsafeRawBufferPointer(rebasing: json[start..<position])
        let isCard = plan.removesCredentials && CardNumber.end(in: text, from: 0) == text.count
        if treatment.isRemoved || isCard { replace(start..<position, "\"[Filtered]\"", or: "0") }
    }

    private func end(while isIncluded: (UInt8) -> Bool) -> Int {
        var end = position
        while end < json.count, isIncluded(json[end]) { end += 1 }
        return end
    }

    mutating func replace(_ range: Range<Int>, _ long: StaticString, or short: StaticString) {
        output.copy(until: range.lowerBound)
        let isLong = output.mayGrow(by: long.utf8CodeUnitCount - range.count)
        output.append(isLong ? long.bytes : short.bytes)
        output.skip(to: range.upperBound)
    }

    // MARK: Strings

    /// Passes over a string.
    ///
    /// - Returns: where its content is, whether it has escapes, and whether it may hold something to be removed.
    private mutating func passString() -> (range: Range<Int>, hasEscapes: Bool, isTelling: Bool) {
        let start = position + 1
        var end = start
        var hasEscapes = false
        var isTelling = false
        while end < json.count, json[end] != UInt8(ascii: "\"") {
            if json[end] == UInt8(ascii: "\\") {
                hasEscapes = true
                end += 2
            } else {
                isTelling = isTelling || TextScan.isTelling(json[end])
                end += 1
            }
        }
        end = min(end, json.count)
        position = min(end + 1, json.count)
        return (start..<max(start, end), hasEscapes, isTelling)
    }

    private mutating func string(_ plan: ScrubPlan) {
        let (range, hasEscapes, isTelling) = passString()
        let content = hasEscapes ? resolve(range) : UnsafeRawBufferPointer(rebasing: json[range])
        let last = levels.indices.last
        let isName = last.map { levels[$0].isObject && levels[$0].expectsName } ?? false
        var treatment = Treatment()
        if let last, isName {
            note(name: content, at: last, plan)
        } else {
            let wasFirst = last.map { levels[$0].isFirst } ?? false
            treatment = takeTreatment()
            if let last { note(value: content, wasFirst: wasFirst, at: last, plan) }
        }
        guard !treatment.isKept, !content.isEmpty else { return }
        if treatment.isRemoved {
            if !content.equals(TextScan.mark) { replace(range, TextScan.mark, or: TextScan.shortMark) }
        } else if isTelling || hasEscapes, content.count >= TextScan.shortest {
            var scan = TextScan(content, plan, isVersion: treatment.isVersion)
            remove(&scan, from: range, hasEscapes: hasEscapes)
        }
    }

    /// A member's name says what happens to its value.
    private mutating func note(name: UnsafeRawBufferPointer, at level: Int, _ plan: ScrubPlan) {
        levels[level].expectsName = false
        if level == 0, Self.identifies(name) {
            levels[level].next = Treatment(isKept: true)
            return
        }
        let isValue = levels[level].namesValue && name.equalsIgnoringCase("value")
        levels[level].next = Treatment(
            isRemoved: isValue || plan.names.match(name), isVersion: plan.removesAddresses && plan.versions.match(name))
        levels[level].isNaming = name.equalsIgnoringCase("name") || name.equalsIgnoringCase("key")
    }

    /// A string may be a name of what comes next: in `["name", value]`, `{"name": …, "value": …}`, `["--name", "value"]`.
    private mutating func note(value: UnsafeRawBufferPointer, wasFirst: Bool, at level: Int, _ plan: ScrubPlan) {
        if levels[level].isObject {
            if levels[level].isNaming, plan.names.match(value) { levels[level].namesValue = true }
        } else if wasFirst || value.first == UInt8(ascii: "-"), Self.isName(value), plan.names.match(value) {
            levels[level].next.isRemoved = true
        }
    }

    /// Whether it looks like a name and not like a sentence.
    private static func isName(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count <= 64
            && text.allSatisfy {
                UnsafeRawBufferPointer.isWord($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E || $0 == 0x3A
            }
    }

    /// Whether it is the name of a field by which an event is what it is, whatever the project's names are.
    private static func identifies(_ name: UnsafeRawBufferPointer) -> Bool {
        name.equals("event_id") || name.equals("timestamp") || name.equals("level") || name.equals("type")
    }

    private mutating func remove(_ scan: inout TextScan, from range: Range<Int>, hasEscapes: Bool) {
        var done = 0
        while let finding = scan.next() {
            if done == 0 { output.copy(until: range.lowerBound) }
            output.append(escaping: scan.slice(done..<finding.range.lowerBound))
            mark(finding)
            done = finding.range.upperBound
        }
        guard done > 0 else { return }
        output.append(escaping: scan.slice(done..<scan.text.count))
        output.skip(to: range.upperBound)
    }

    private mutating func mark(_ finding: TextScan.Finding) {
        // A quotation mark and each backslash before it may need an escape.
        let quotes = finding.quote.map { 4 * ($0.slashes + 1) } ?? 0
        guard output.mayGrow(by: TextScan.mark.utf8CodeUnitCount + quotes - finding.range.count) else {
            return output.append(TextScan.shortMark.bytes)
        }
        append(finding.quote)
        output.append(TextScan.mark.bytes)
        append(finding.quote)
    }

    private mutating func append(_ quote: TextScan.Quote?) {
        guard let quote else { return }
        for _ in 0..<quote.slashes { output.append(escape: UInt8(ascii: "\\")) }
        output.append(escape: quote.mark)
    }

    private mutating func resolve(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        if resolved.count < range.count {
            resolved.deallocate()
            resolved = .allocate(byteCount: max(range.count, Self.keptSize), alignment: 1)
        }
        guard let start = json.baseAddress, let room = resolved.baseAddress else { return resolvedText(0) }
        var value = mesher_json_value()
        value.kind = .string
        value.has_escapes = 1
        value.start = (start + range.lowerBound).assumingMemoryBound(to: UInt8.self)
        value.count = UInt32(truncatingIfNeeded: range.count)
        return resolvedText(mesher_json_resolve(&value, room.assumingMemoryBound(to: UInt8.self)))
    }

    private func resolvedText(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: resolved[..<min(count, resolved.count)])
    }
}
