# Sends an exception and a message with sentry-raven for Ruby, and prints the ids of its events as JSON. Argument: the DSN.
require "json"
require "raven"

Raven.configure do |config|
  config.dsn = ARGV[0]
  config.release = "shop@1.2.3"
  config.current_environment = "staging"
  config.server_name = "web-1"
  config.tags = { region: "eu", shard: 7 }
end

ids = {}
begin
  {}.fetch("missing")
rescue KeyError => error
  ids["exception"] = Raven.capture_exception(error).id
end
ids["message"] = Raven.capture_message("It broke: ünïcödé", level: "warning").id
puts JSON.generate(ids)
