import Notation
import StorageChannel

/// How far the reading of all keys has come. It goes slice by slice, so that neither memory nor the loop's time depend on how
/// many there are: first the projects by their ids, since one may have no key, then the keys in their order.
struct KeySweep {
    private enum Part {
        case projects(after: Int64)
        case keys(after: KeyID?)
    }

    private static let keysInSlice = 1_000
    private static let projectsInSlice = 5_000

    private var part = Part.projects(after: 0)
    /// All projects, once the keys are being read.
    private(set) var projects: Set<Int64> = []

    /// Finds the next slice.
    var query: String {
        switch part {
        case .projects(let last):
            return """
                SELECT NULL, id, NULL, NULL, NULL, NULL, NULL, NULL FROM public.projects WHERE id > \(last)
                ORDER BY id LIMIT \(Self.projectsInSlice)
                """
        case .keys(let last):
            let rest = last.map { "WHERE key > '\($0.value.hexDigits)'" } ?? ""
            return """
                SELECT \(KeySlice.columns)
                FROM (SELECT * FROM public.api_keys \(rest) ORDER BY key LIMIT \(Self.keysInSlice)) k
                JOIN public.projects p ON p.id = k.project_id \(KeySlice.later) ORDER BY k.key
                """
        }
    }

    /// Takes what the query has found.
    ///
    /// - Returns: the range of keys that were read, all of them; nil when none were.
    mutating func take(_ slice: KeySlice) -> (range: KeyTable.Range?, isComplete: Bool) {
        switch part {
        case .projects:
            projects.formUnion(slice.projects)
            let isLast = slice.rowCount < Self.projectsInSlice
            part = isLast ? .keys(after: nil) : .projects(after: slice.projects.max() ?? .max)
            return (nil, false)
        case .keys(let after):
            let isLast = slice.rowCount < Self.keysInSlice
            let through = isLast ? nil : slice.lastKey
            part = .keys(after: through)
            return (KeyTable.Range(after: after, through: through), isLast || through == nil)
        }
    }

    /// Projects were read in between.
    mutating func replace(projects changed: Set<Int64>, _ current: Set<Int64>) {
        projects.subtract(changed)
        projects.formUnion(current)
    }
}
