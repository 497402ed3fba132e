package workers

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/cloudops-manager/cloudops/engine"
)

// Redis is the connection to a Redis, or to one inside this process. It is an
// asynq.RedisConnOpt.
type Redis struct {
	client redis.UniversalClient
	open   func() redis.UniversalClient
	close  func()
	inside bool
}

// OpenRedis connects to the Redis at rawURL:
//
//	"" or embedded                                 one inside this process, without a port
//	redis://user:password@host:6379/0              one server; rediss:// with TLS, unix:///path by socket
//	redis-sentinel://host:26379?master_name=NAME   found by Sentinel; more with &addr=host:26379,
//	                                               Redis's own credentials as &username= and &password=
//	redis-cluster://host:6379                      a cluster; more nodes with ?addr=host:6379
//
// Further settings are those of redis.ParseURL. A Redis that does not answer
// is no error, as nothing is lost without it; one that refuses the password is.
func OpenRedis(ctx context.Context, rawURL string, log *slog.Logger) (*Redis, error) {
	// The library has one logger a process, and would write to stderr.
	redis.SetLogger(redisLog{log})
	if rawURL == "" || rawURL == "embedded" {
		return openEmbedded(), nil
	}
	open, err := opener(rawURL)
	if err != nil {
		return nil, err
	}
	r := &Redis{client: open(), open: open, close: func() {}}
	if err := r.greet(ctx, log); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// greet tells a Redis that is away from one that will never let us in.
func (r *Redis) greet(ctx context.Context, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := r.Ping(ctx)
	for _, refusal := range []string{"NOAUTH", "WRONGPASS", "NOPERM", "ERR"} {
		if redis.HasErrorPrefix(err, refusal) {
			return engine.Invalid("Redis refuses us: %v; check user, password and database in its URL", err)
		}
	}
	if err != nil {
		log.WarnContext(ctx, "redis does not answer yet; steps wait in the database until it does", "err", err)
	}
	return nil
}

// Client returns the connection for other uses. It is closed with r.
func (r *Redis) Client() redis.UniversalClient { return r.client }

// MakeRedisClient opens a connection of its own that the caller closes. It
// implements asynq.RedisConnOpt.
func (r *Redis) MakeRedisClient() any { return r.open() }

// Ping reports whether Redis answers.
func (r *Redis) Ping(ctx context.Context) error { return r.client.Ping(ctx).Err() }

// Close ends the connection, and a Redis inside this process with all it holds.
func (r *Redis) Close() error {
	err := r.client.Close()
	r.close()
	return err
}

// opener reads the URL. The errors of the URL parsers repeat what they parsed,
// password included, and are not shown.
func opener(rawURL string) (func() redis.UniversalClient, error) {
	scheme, _, _ := strings.Cut(rawURL, "://")
	kinds := map[string]func(string) (func() redis.UniversalClient, error){
		"redis": single, "rediss": single, "unix": single, "redis-sentinel": sentinel, "redis-cluster": cluster,
	}
	parse, ok := kinds[scheme]
	if !ok {
		return nil, engine.Invalid("the Redis URL begins with redis://, rediss://, unix://, redis-sentinel:// or redis-cluster://, or is the word embedded")
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, engine.Invalid("the Redis URL cannot be read; it looks like %s://user:password@host:6379, with special characters in the password as %%40", scheme)
	}
	open, err := parse(rawURL)
	if err != nil {
		return nil, engine.Invalid("the settings in the Redis URL of %s cannot be read; see redis.ParseURL for their names", u.Host)
	}
	return open, nil
}

func single(rawURL string) (func() redis.UniversalClient, error) {
	o, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled, o.MaintNotificationsConfig = true, plain()
	setIfZero(&o.DialerRetries, dialerRetries)
	return func() redis.UniversalClient { own := *o; return redis.NewClient(&own) }, nil
}

func sentinel(rawURL string) (func() redis.UniversalClient, error) {
	o, err := redis.ParseFailoverURL(strings.Replace(rawURL, "redis-sentinel://", "redis://", 1))
	if err != nil {
		return nil, err
	}
	if o.MasterName == "" {
		return nil, fmt.Errorf("no master_name")
	}
	o.ContextTimeoutEnabled = true
	setIfZero(&o.DialerRetries, dialerRetries)
	return func() redis.UniversalClient { own := *o; return redis.NewFailoverClient(&own) }, nil
}

func cluster(rawURL string) (func() redis.UniversalClient, error) {
	o, err := redis.ParseClusterURL(strings.Replace(rawURL, "redis-cluster://", "redis://", 1))
	if err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled, o.MaintNotificationsConfig = true, plain()
	setIfZero(&o.DialerRetries, dialerRetries)
	return func() redis.UniversalClient { own := *o; return redis.NewClusterClient(&own) }, nil
}

// dialerRetries is low because every caller here tries again by itself; with
// the library's five, stopping a worker without Redis took many seconds.
const dialerRetries = 1

func setIfZero(n *int, value int) {
	if *n == 0 {
		*n = value
	}
}

// plain asks the server for no notices of maintenance, which few servers know.
func plain() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
