# Sends an exception, a message and a transaction with sentry-ruby, and prints the ids of its events as JSON. Argument: the
# DSN.
require "json"
require "logger"
require "sentry-ruby"

Sentry.init do |config|
  config.dsn = ARGV[0]
  config.release = "shop@1.2.3"
  config.environment = "staging"
  config.server_name = "web-1"
  config.traces_sample_rate = 1.0
  config.background_worker_threads = 0
  config.logger = Logger.new($stderr)
end
Sentry.set_tags(region: "eu", shard: 7)

ids = {}
begin
  {}.fetch("missing")
rescue KeyError => error
  ids["exception"] = Sentry.capture_exception(error).event_id
end
ids["message"] = Sentry.capture_message("It broke: ünïcödé", level: :warning).event_id
transaction = Sentry.start_transaction(op: "task", name: "nightly")
transaction.with_child_span(op: "db", description: "SELECT 1") {}
transaction.finish
puts JSON.generate(ids)
