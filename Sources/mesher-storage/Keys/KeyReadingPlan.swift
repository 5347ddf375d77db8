import StorageChannel

/// Which keys are to be read next: those of projects that have changed, and all, slice by slice.
struct KeyReadingPlan {
    enum Step: Equatable {
        /// The keys of some projects.
        case projects(Set<Int64>)
        /// The next ones of all.
        case sweep
    }

    /// So many changed projects are read in one step; when they have more keys than these, all keys are read, by theirs.
    private static let projectsInStep = 100
    static let keysInStep = 5_000

    private var changed: Set<Int64> = []
    private var allChanged = false
    private(set) var sweep: KeySweep?
    private var isSweepNext = false

    /// Whether there is anything to read.
    var hasMore: Bool { sweep != nil || allChanged || !changed.isEmpty }

    /// A project was changed, or nobody knows which.
    mutating func note(_ project: Int64?) {
        if let project { changed.insert(project) } else { allChanged = true }
    }

    /// What was to be read, or was read in part, counts no more: all is to be read.
    mutating func restart() {
        self = KeyReadingPlan()
        allChanged = true
    }

    /// What to read now; nil for nothing.
    mutating func next() -> Step? {
        guard hasMore else { return nil }
        if sweep == nil, allChanged {
            allChanged = false
            sweep = KeySweep()
        }
        // In turns: neither many changes nor many keys keep the others waiting.
        let isSweep = sweep != nil && (isSweepNext || changed.isEmpty)
        isSweepNext = !isSweep
        if isSweep { return .sweep }
        let projects = Set(changed.prefix(Self.projectsInStep))
        changed.subtract(projects)
        return .projects(projects)
    }

    /// Finds what a step is to read.
    func query(for step: Step) -> String {
        switch step {
        case .sweep: return sweep?.query ?? ""
        case .projects(let projects):
            return """
                SELECT \(KeySlice.columns) FROM public.projects p LEFT JOIN public.api_keys k ON k.project_id = p.id
                \(KeySlice.later)
                WHERE p.id IN (\(projects.map(String.init).joined(separator: ", "))) LIMIT \(Self.keysInStep + 1)
                """
        }
    }

    /// Some projects were read.
    ///
    /// - Returns: false when they have too many keys to have been read at once.
    mutating func take(_ slice: KeySlice, of projects: Set<Int64>) -> Bool {
        guard slice.rowCount <= Self.keysInStep else {
            allChanged = true
            return false
        }
        sweep?.replace(projects: projects, slice.projects)
        return true
    }

    /// The next ones of all were read.
    ///
    /// - Returns: their range; nil when none were read. The sweep when that was the last slice.
    mutating func takeSwept(_ slice: KeySlice) -> (range: KeyTable.Range?, completed: KeySweep?) {
        guard var sweep else { return (nil, nil) }
        let (range, isComplete) = sweep.take(slice)
        self.sweep = isComplete ? nil : sweep
        return (range, isComplete ? sweep : nil)
    }
}
