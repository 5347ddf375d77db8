<?php
// B4 of `make bench`: what Mesher does with a single event, as a careful programmer writes it for PHP-FPM. Key look-up and
// rate limit are one call of Redis, which has the keys. The event is stored by a prepared statement on a connection that the
// process keeps, and is answered with 202 after its commit.
declare(strict_types=1);

const LIMIT = <<<'LUA'
    local found = redis.call('HGET', KEYS[1], ARGV[1])
    if not found then return false end
    local project, limit, window = string.match(found, '^(%d+) (%d+) (%d+)$')
    local counter = 'peer:{' .. project .. '}'
    local used = redis.call('INCR', counter)
    if used == 1 then redis.call('EXPIRE', counter, window) end
    if used > tonumber(limit) then return {project, redis.call('TTL', counter)} end
    return {project, -1}
    LUA;

const STATEMENT = 'INSERT INTO public.peer_events (project_id, event_id, received_at, "timestamp", received_on, level, message,
    platform, environment, release, server_name, logger, transaction, sdk_name, sdk_version, tags, payload)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING';

const STRINGS = ['platform', 'environment', 'release', 'server_name', 'logger', 'transaction', 'sdk_name', 'sdk_version'];

function answer(int $status, array $content): never
{
    http_response_code($status);
    header('Access-Control-Allow-Origin: *');
    header('Content-Type: application/json');
    echo json_encode($content);
    exit;
}

function refuse(string $reason): never
{
    answer(400, ['error' => $reason, 'reason' => 'invalid_field']);
}

/** Called by its hash; a Redis that was started since does not know it yet. */
function limit(string $key): array|false
{
    static $hash = null;
    $hash ??= sha1(LIMIT);
    $redis = new Redis();
    $redis->pconnect(getenv('REDIS'));
    $arguments = ['peer:keys', $key];
    $found = $redis->evalSha($hash, $arguments, 1);
    if ($found === false && $redis->getLastError() !== null) {
        $redis->clearLastError();
        $found = $redis->eval(LIMIT, $arguments, 1);
    }
    return $found;
}

/** The values of the columns, in their order; refuses an event that is not as docs/http.md says. */
function columns(string $project, string $id, string $body): array
{
    $event = json_decode($body, false, 256, JSON_BIGINT_AS_STRING);
    if (!$event instanceof stdClass) refuse('not a JSON object');
    $message = $event->message ?? null;
    if (!is_string($message) || $message === '') refuse('missing required field: message');
    $level = $event->level ?? null;
    if (!in_array($level, ['error', 'warning', 'info', 'debug', 'fatal'], true)) refuse('invalid level');
    $now = microtime(true);
    $received = gmdate('Y-m-d\TH:i:s', (int)$now) . sprintf('.%03dZ', ($now - (int)$now) * 1000);
    $timestamp = $event->timestamp ?? $received;
    if (is_int($timestamp) || is_float($timestamp)) $timestamp = gmdate('Y-m-d\TH:i:s\Z', (int)$timestamp);
    if (!is_string($timestamp) || !preg_match('/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/', $timestamp)) {
        refuse('invalid timestamp');
    }
    if (isset($event->event_id)) {
        $id = $event->event_id;
        if (!is_string($id) || !preg_match('/^[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}$/i', $id)) {
            refuse('invalid event_id');
        }
    }
    $values = [$project, $id, $received, $timestamp, substr($received, 0, 10), $level, $message];
    foreach (STRINGS as $name) {
        $value = $event->$name ?? null;
        if ($value !== null && !is_string($value)) refuse("invalid $name");
        $values[] = $value;
    }
    foreach (['exception', 'stacktrace', 'breadcrumbs'] as $name) {
        if (isset($event->$name) && !is_object($event->$name) && !is_array($event->$name)) refuse("invalid $name");
    }
    foreach (['tags', 'extra', 'user', 'user_context'] as $name) {
        if (isset($event->$name) && !is_object($event->$name)) refuse("invalid $name");
    }
    $values[] = isset($event->tags) ? json_encode($event->tags, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES) : null;
    $values[] = $body;
    return $values;
}

/** The statement is prepared once a connection: that it is not yet is found out by its failure. */
function store(array $values): bool
{
    $database = @pg_pconnect(getenv('DATABASE'));
    if (!$database) return false;
    if (@pg_execute($database, 'store', $values)) return true;
    return @pg_prepare($database, 'store', STATEMENT) && @pg_execute($database, 'store', $values);
}

if (!preg_match('/\bsentry_key=([0-9a-f]{32})\b/', $_SERVER['PEER_AUTH'] ?? '', $matches)) {
    answer(401, ['error' => 'unauthorized', 'reason' => 'unauthorized']);
}
$found = limit($matches[1]);
if (!$found) answer(401, ['error' => 'unauthorized', 'reason' => 'unauthorized']);
[$project, $wait] = $found;
if ($wait >= 0) {
    header("Retry-After: $wait");
    answer(429, ['error' => 'rate limit exceeded', 'reason' => 'rate_limited']);
}
$values = columns($project, $_SERVER['MESHER_REQUEST_ID'], file_get_contents('php://input'));
if (!store($values)) {
    header('Retry-After: 1');
    answer(503, ['error' => 'temporarily unavailable', 'reason' => 'unavailable']);
}
answer(202, ['status' => 'accepted', 'id' => $values[1]]);
