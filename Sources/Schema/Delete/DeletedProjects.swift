package import PostgreSQL

/// Projects that were deleted: their keys are gone at once, their events little by little.
///
/// A row of `project_deletions` stays for good. So it does not matter when an event of such a project turns up, out of a batch
/// that was being stored, or with a day that was restored: the next maintenance deletes it. A project that is back under its
/// id, from a backup, counts as not deleted.
package enum DeletedProjects {
    package struct Entry: Equatable, Sendable {
        package let id: Int64
        package let slug: String

        package init(id: Int64, slug: String) {
            self.id = id
            self.slug = slug
        }
    }

    /// Deletes a project with its keys, and notes that; all of it or nothing. Its events are left.
    ///
    /// - Returns: false when there is no such project.
    /// - Throws: `SchemaError.database`.
    package static func add(
        _ project: Int64, on connection: borrowing Connection
    ) throws(SchemaError) -> Bool {
        let id = String(project)
        do throws(SchemaError) {
            try connection.execute("BEGIN; SET LOCAL lock_timeout = '5s'", during: step)
            // From here on nobody adds a key to it.
            let found = try connection.query(
                """
                INSERT INTO public.project_deletions (project_id, slug)
                SELECT id, slug FROM (SELECT id, slug FROM public.projects WHERE id = $1 FOR UPDATE) AS project
                ON CONFLICT (project_id) DO UPDATE SET slug = excluded.slug, deleted_at = now()
                """, [id], during: step)
            _ = try connection.query("DELETE FROM public.api_keys WHERE project_id = $1", [id], during: step)
            _ = try connection.query("DELETE FROM public.projects WHERE id = $1", [id], during: step)
            try connection.execute("COMMIT", during: step)
            return found.affectedRows == 1
        } catch {
            // If this fails too, the first error says more.
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    /// All of them, by their ids.
    ///
    /// - Throws: `SchemaError.database`.
    package static func all(on connection: borrowing Connection) throws(SchemaError) -> [Entry] {
        let rows = try connection.query(
            """
            SELECT project_id, slug FROM public.project_deletions d
            WHERE NOT EXISTS (SELECT FROM public.projects WHERE id = d.project_id) ORDER BY project_id
            """, during: "looking for deleted projects")
        return (0..<rows.count).compactMap { row in
            guard let id = rows[row: row, column: 0].flatMap({ Int64($0) }) else { return nil }
            return Entry(id: id, slug: rows[row: row, column: 1] ?? "")
        }
    }

    /// Those that have events, by their ids. With Citus, which has no plan for the question, those that may have some.
    ///
    /// - Throws: `SchemaError.database`.
    package static func withEvents(on connection: borrowing Connection) throws(SchemaError) -> [Entry] {
        let all = try all(on: connection)
        guard !all.isEmpty, try !Distribution.isCitus(connection) else { return all }
        let ids = "{\(all.map { String($0.id) }.joined(separator: ","))}"
        var found: Set<Int64> = []
        for partition in try Partition.all(on: connection) {
            // By the index, however many events of others there are.
            let rows = try connection.query(
                """
                SELECT id FROM unnest($1::bigint[]) AS id CROSS JOIN LATERAL
                    (SELECT FROM public.\(partition.name) WHERE project_id = id ORDER BY received_at LIMIT 1) AS event
                """, [ids], during: "looking for events of deleted projects")
            for row in 0..<rows.count {
                if let id = rows[row: row, column: 0].flatMap({ Int64($0) }) { found.insert(id) }
            }
        }
        return all.filter { found.contains($0.id) }
    }

    /// Deletes the events of these projects, in bounded steps. The connection must not be in a transaction.
    ///
    /// - Returns: how many; nil while another connection does the same.
    /// - Throws: `SchemaError.database`; what was deleted before stays deleted.
    package static func deleteEvents(
        of projects: [Entry], on connection: borrowing Connection,
        progress: (Entry, EventDeletion.Progress) -> Void = { _, _ in }
    ) throws(SchemaError) -> Int? {
        let lock = "(\(AdvisoryLock.space), \(AdvisoryLock.deletions))"
        let locked = try connection.query("SELECT pg_try_advisory_lock\(lock)", during: "locking")
        guard locked[row: 0, column: 0] == "t" else { return nil }
        defer { try? connection.execute("SELECT pg_advisory_unlock\(lock)") }
        var deleted = 0
        for project in projects {
            let days = try EventDeletion(EventSelection(project: project.id)).delete(on: connection) {
                progress(project, $0)
            }
            deleted += days.reduce(0) { $0 + $1.events }
        }
        return deleted
    }

    private static let step = "deleting a project"
}
