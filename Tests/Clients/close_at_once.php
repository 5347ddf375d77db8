<?php
// Sends events as PHP programs do that do not wait: each on a connection that is closed as soon as it is written.
// Arguments: host, port, the project's number, the key, how many.
[, $host, $port, $project, $key, $count] = $argv;
for ($number = 0; $number < (int) $count; $number++) {
    $body = json_encode(["message" => "fire and forget", "level" => "error", "extra" => ["number" => $number]]);
    $connection = fsockopen($host, (int) $port);
    fwrite($connection, "POST /api/$project/store/ HTTP/1.1\r\nHost: $host\r\n"
        . "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=mesher-php/1.0, sentry_key=$key\r\n"
        . "Content-Length: " . strlen($body) . "\r\nConnection: Close\r\n\r\n" . $body);
    fclose($connection);
}
