import PostgreSQL
import Spool
import StorageChannel
import System

/// Carries out what the committers decide.
extension StorageLoop {
    func conditions(now: Int64) -> CommitConditions {
        CommitConditions(
            now: now, wall: Clock.wall(), isStopping: stopDeadline != nil, canKeep: keeper.accepts(now: now),
            nextReplay: keys.isCurrent ? keeper.nextReplay(now: now) : nil)
    }

    /// Whether the connections are there on which everything depends. Only then others are opened: where PostgreSQL has no
    /// room for all, these have it.
    var isConnected: Bool { singles.first.committer.accepts && bulks.first.committer.accepts && keys.isCurrent }

    /// Ends a turn, after every edge was read.
    mutating func endTurn(of lanes: CommitLanes, now: Int64) {
        for lane in lanes.all where lane === lanes.first || isConnected || !lane.link.isAway {
            take(lane.link.elapse(now: now, epoll), of: lane, now: now)
            perform(lane.committer.keepOverdue(conditions(now: now)), on: lane, now: now)
        }
        for lane in lanes.all {
            var conditions = conditions(now: now)
            if lane === lanes.first {
                conditions.beside = lanes.beside(lane)
            } else if lanes.isHelper(lane, now: now) {
                conditions.beside = lanes.beside(lane)
                perform(lane.committer.help(&lanes.first.committer, conditions), on: lane, now: now)
            }
            perform(lane.committer.turn(conditions), on: lane, now: now)
        }
    }

    /// Tells a committer what has become of its connection.
    mutating func take(_ event: DatabaseLink.Event, of lane: CommitLane, now: Int64) {
        switch event {
        case .none: break
        case .connected: perform(lane.committer.connected(ending: lane.link.abandoned), on: lane, now: now)
        case .received:
            while let result = lane.nextResult() {
                perform(lane.committer.completed(result, conditions(now: now)), on: lane, now: now)
            }
        case .lost(let error): perform(lane.committer.lost(error), on: lane, now: now)
        }
    }

    private mutating func perform(_ effects: [CommitEffect], on lane: CommitLane, now: Int64) {
        var left = effects[...]
        while let effect = left.popFirst() {
            switch effect {
            case .readSpool:
                let replay = keys.projects.flatMap { keeper.beginReplay(now: now, projects: $0) }
                left += lane.committer.deliver(replay, conditions(now: now))
            case .send, .prepare, .insert:
                guard let error = send(effect, on: lane, now: now) else { continue }
                left += lane.committer.lost(error)
            case .close(let error): _ = lane.link.drop(error, now: now, epoll)
            case .confirm: lane.link.confirm()
            case .answer(let answer): edges.answer(answer)
            case .keep(let batch, let ranges):
                for answer in keeper.keep(batch, ranges, now: now) { edges.answer(answer) }
            case .setAside(let items, let waiting):
                edges.answer(keeper.setAside(items, waiting: waiting, now: now))
            case .delivered(let piece, let items): keeper.delivered(piece, setAside: items, now: now)
            case .deliveryFailed(let loss, let events): keeper.replayFailed(loss, events: events, now: now)
            case .count(let events, let duration):
                FaultPoint.reach(.afterCommit)
                lane.report.committed(events: events, duration: duration)
            case .report(let news): lane.report.tell(news, now: now)
            }
        }
    }

    /// - Returns: why the connection was lost with that.
    private func send(_ effect: CommitEffect, on lane: CommitLane, now: Int64) -> DatabaseError? {
        switch effect {
        case .insert(let range, let columns): lane.insert(range, columns: columns, now: now, epoll)
        case .prepare(let sql, let types):
            lane.send(now: now, epoll) { connection throws(DatabaseError) in
                try connection.sendPrepare(sql, parameterTypes: types)
            }
        case .send(let sql):
            lane.send(now: now, epoll) { connection throws(DatabaseError) in try connection.send(sql) }
        default: nil
        }
    }
}
