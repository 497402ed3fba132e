package workers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestOpenRedisAnswers(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		if err := r.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestEmbeddedRedisLetsKeysExpire(t *testing.T) {
	r := open(t, "")
	if err := r.Client().Set(t.Context(), "key", "value", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		for r.Client().Get(t.Context(), "key").Err() == nil {
			pause(t.Context(), 10*time.Millisecond)
		}
		close(gone)
	}()
	within(t, "the end of the key", gone)
}

func TestEmbeddedRedisIsPrivate(t *testing.T) {
	a, b := open(t, "embedded"), open(t, "embedded")
	if err := a.Client().Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.Client().Get(t.Context(), "key").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("the other one answers with %v", err)
	}
}

func TestOpenRedisGoesOnWithoutAnAnswer(t *testing.T) {
	server := enginetest.NewRedisServer(t)
	server.Stop()

	r, err := OpenRedis(t.Context(), server.URL, quiet())

	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	server.Start(t)
	if err := r.Ping(t.Context()); err != nil {
		t.Errorf("once the server is up: %v", err)
	}
}

func TestOpenRedisByPassword(t *testing.T) {
	const secret = "pa%24%24-w0rd"
	server := enginetest.NewRedisServer(t, "--requirepass", "pa$$-w0rd")
	tests := map[string]struct {
		user string
		want error
	}{
		"the right one is let in":     {user: ":" + secret + "@"},
		"with the name of a user":     {user: "default:" + secret + "@"},
		"a wrong one is an error":     {user: ":nope@", want: engine.ErrInvalid},
		"none is an error":            {want: engine.ErrInvalid},
		"an unknown user is an error": {user: "nobody:" + secret + "@", want: engine.ErrInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := OpenRedis(t.Context(), "redis://"+tt.user+server.Addr, quiet())
			if !errors.Is(err, tt.want) {
				t.Fatalf("error = %v, want %v", err, tt.want)
			}
			if err == nil {
				r.Close()
			}
		})
	}
}

func TestOpenRedisRefusesAURLWithoutShowingIt(t *testing.T) {
	tests := map[string]string{
		"an unknown scheme":              "http://:s3cret@redis.example:6379",
		"no scheme":                      ":s3cret@redis.example:6379",
		"a slash in the password":        "redis://:s3cret/x@redis.example:6379",
		"a percent sign in the password": "redis://:s3cret%@redis.example:6379",
		"a database that is no number":   "redis://:s3cret@redis.example:6379/s3cret",
		"an unknown setting":             "redis://:s3cret@redis.example:6379?password_file=s3cret",
		"sentinels without a master":     "redis-sentinel://:s3cret@redis.example:26379",
		"a cluster with a broken node":   "redis-cluster://:s3cret@redis.example:6379?addr=s3cret",
	}
	for name, url := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := OpenRedis(t.Context(), url, quiet())
			if !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("error = %v", err)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestOpenerKnowsEveryKindOfRedis(t *testing.T) {
	tests := map[string]struct {
		url   string
		check func(redis.UniversalClient) bool
	}{
		"one server with user and database": {
			url: "redis://ada:pw@host:6380/3",
			check: func(c redis.UniversalClient) bool {
				o := c.(*redis.Client).Options()
				return o.Addr == "host:6380" && o.Username == "ada" && o.Password == "pw" && o.DB == 3 && o.TLSConfig == nil
			},
		},
		"one server with TLS": {
			url: "rediss://host:6380",
			check: func(c redis.UniversalClient) bool {
				return c.(*redis.Client).Options().TLSConfig.ServerName == "host"
			},
		},
		"a socket": {
			url: "unix:///run/redis.sock",
			check: func(c redis.UniversalClient) bool {
				o := c.(*redis.Client).Options()
				return o.Network == "unix" && o.Addr == "/run/redis.sock"
			},
		},
		"sentinels": {
			url: "redis-sentinel://one:26379?addr=two:26379&master_name=main&password=pw",
			check: func(c redis.UniversalClient) bool {
				return c.(*redis.Client).Options().Password == "pw"
			},
		},
		"a cluster": {
			url: "redis-cluster://:pw@one:6379?addr=two:6379",
			check: func(c redis.UniversalClient) bool {
				o := c.(*redis.ClusterClient).Options()
				return len(o.Addrs) == 2 && o.Password == "pw"
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			open, err := opener(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			c := open()
			defer c.Close()
			if !tt.check(c) {
				t.Errorf("%s is understood as %v", tt.url, c)
			}
		})
	}
}

// Queues, bell and scripts work where keys are spread over a cluster.
func TestRelayOnACluster(t *testing.T) {
	server := enginetest.NewRedisServer(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
	one := open(t, server.URL)
	if err := one.Client().Do(t.Context(), "cluster", "addslotsrange", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		for one.Client().Set(t.Context(), "key", "value", 0).Err() != nil {
			pause(t.Context(), 10*time.Millisecond)
		}
		close(ready)
	}()
	within(t, "the cluster", ready)
	r := open(t, "redis-cluster://"+server.Addr)
	db, b := &database{}, bellOn(t, r)
	handle, claimed := db.once()
	serving(t, r, b, Options{}, handle)
	relaying(t, r, b, db)
	for i, cloud := range engine.Clouds() {
		db.want(engine.Dispatch{Step: fmt.Sprintf("step-%d", i), Attempt: 1, Queue: engine.QueueName(cloud, "run")}, true)
	}
	b.Ring(engine.TopicOutbox)

	for range engine.Clouds() {
		within(t, "a step", claimed)
	}
	answered(t, b, bellOn(t, open(t, "redis-cluster://"+server.Addr)))
}
