internal import CJSON
internal import StorageChannel

/// How the columns that are declared with their sources are filled from an event: each name is resolved to a number once.
struct ColumnPlan: ~Copyable {
    /// A column, and the places of its sources in `found`.
    private struct Step {
        let column: EventRecord.Column
        let bound: Int
        let sources: Range<Int>
    }

    /// A field that is an object, and which of its members go to which place.
    private struct Object {
        let field: Int
        var members: [(name: StaticString, place: Int)]
    }

    private var steps: [Step] = []
    private var fields: [(field: Int, place: Int)] = []
    private var objects: [Object] = []
    private var tags: [(name: StaticString, place: Int)] = []
    private var exceptionTypes: [Int] = []
    /// What an event has in each place.
    private let found: UnsafeMutableBufferPointer<mesher_json_value>

    /// Of the columns that `includes` says.
    init(_ includes: (EventColumn) -> Bool) {
        let columns = EventRecord.Column.allCases.filter { !$0.declaration.sentry.isEmpty && includes($0.declaration) }
        found = .allocate(capacity: columns.reduce(0) { $0 + $1.declaration.sentry.count })
        found.initialize(repeating: mesher_json_value())
        var place = 0
        for column in columns {
            let declaration = column.declaration
            let start = place
            for source in declaration.sentry {
                add(source, place)
                place += 1
            }
            steps.append(Step(column: column, bound: declaration.bound ?? .max, sources: start..<place))
        }
    }

    deinit {
        found.deallocate()
    }

    private mutating func add(_ source: EventColumn.Source, _ place: Int) {
        switch source {
        case .field(let name):
            if let number = EventFields.number(of: name) { fields.append((number, place)) }
        case .member(let name, of: let object):
            guard let number = EventFields.number(of: object) else { return }
            if let index = objects.firstIndex(where: { $0.field == number }) {
                objects[index].members.append((name, place))
            } else {
                objects.append(Object(field: number, members: [(name, place)]))
            }
        case .tag(let name): tags.append((name, place))
        case .exceptionType: exceptionTypes.append(place)
        }
    }

    /// Fills the columns in, each from the first of its sources that is usable.
    ///
    /// - Parameter exception: the event's last one, if there is one.
    func fill(
        _ columns: inout EventColumns, from event: EventFields, _ exception: SentryException?,
        _ json: borrowing JSONParser, _ room: inout TextRoom
    ) {
        found.update(repeating: mesher_json_value())
        for (field, place) in fields { found[place] = event[field] }
        for object in objects {
            let container = event.object(object.field)
            guard container.kind == .object else { continue }
            for (name, value) in json.members(of: container) {
                for member in object.members where name.equals(member.name) { found[member.place] = value }
            }
        }
        if let exception { for place in exceptionTypes { found[place] = exception.type } }
        var isTagWanted = false
        for step in steps {
            columns[step.column] = text(step, &room)
            isTagWanted = isTagWanted || columns[step.column] == nil
        }
        guard isTagWanted, !tags.isEmpty, event[.tags].isPresent else { return }
        findTags(event[.tags], json)
        for step in steps where columns[step.column] == nil { columns[step.column] = text(step, &room) }
    }

    /// The text of the first usable source, without white space around it; nil when there is none.
    private func text(_ step: Step, _ room: inout TextRoom) -> UnsafeRawBufferPointer? {
        for place in step.sources where found[place].isText {
            let text = room.content(of: found[place]).trimmingWhiteSpace()
            if !text.isEmpty { return text.prefix(characters: step.bound) }
        }
        return nil
    }

    /// What some senders have as a tag alone. Of pairs with the same name the first counts, of an object's members the last.
    private func findTags(_ container: mesher_json_value, _ json: borrowing JSONParser) {
        for (name, value) in json.members(of: container) {
            var name = name
            var value = value
            if container.kind == .array {
                guard value.kind == .array else { continue }
                var pair = json.members(of: value)
                name = pair.next()?.value ?? mesher_json_value()
                value = pair.next()?.value ?? mesher_json_value()
            }
            guard name.kind == .string else { continue }
            for tag in tags where name.equals(tag.name) && (container.kind == .object || !found[tag.place].isPresent) {
                found[tag.place] = value
            }
        }
    }
}
