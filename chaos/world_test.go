package chaos

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// world is all that is tortured.
type world struct {
	t                     *testing.T
	dir, bin              string
	began                 time.Time
	nodes                 []*node
	front                 *balancer
	redis                 *enginetest.RedisServer    // nil inside a process
	postgres              *enginetest.PostgresServer // nil with SQLite
	moto                  *enginetest.MotoServer
	database              string // URL
	client                *client.Client
	token                 string
	drivers               []*driver
	redisHit, postgresHit sync.Mutex // each is hit by one fault at a time
	inFlight              sync.WaitGroup

	mu       sync.Mutex
	wrong    []string // what must not be
	truths   []truth
	inflicts map[string]int
	hurried  context.CancelFunc
	whole    context.Context // until hurried
}

const password = "chaos chaos chaos"

// build makes the program that people install. It looks at its sources, so that
// go test takes no result of another program from its cache.
func build(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"api", "cmd", "engine", "modules", "playbooks", "workers"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(t.TempDir(), "cloudops")
	cmd := exec.Command("go", "build", "-tags", "nomsgpack", "-o", bin, "../cmd/cloudops")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

func newWorld(t *testing.T, bin string) *world {
	t.Helper()
	enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core")
	dir, err := os.MkdirTemp("", "cloudops-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, bin: bin, moto: enginetest.Moto(t), inflicts: map[string]int{}}
	w.whole, w.hurried = context.WithCancel(t.Context())
	if err := os.WriteFile(w.path("ledger"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// newSQLite is one server with everything in it.
func newSQLite(t *testing.T, bin string) *world {
	w := newWorld(t, bin)
	address := freeAddress(t)
	w.front = newBalancer(t, address)
	w.node("serve", "serve", "--listen", address, "--concurrency", "4")
	return w.open()
}

// newPostgres is several of each role on shared services, behind a balancer.
func newPostgres(t *testing.T, bin string) *world {
	w := newWorld(t, bin)
	w.postgres = enginetest.NewPostgresServer(t, "-c", "synchronous_commit=on")
	w.redis = enginetest.NewRedisServer(t)
	w.database = w.postgres.NewDatabase(t)
	addresses := []string{freeAddress(t), freeAddress(t)}
	w.front = newBalancer(t, addresses...)
	for i, address := range addresses {
		w.node("api", fmt.Sprintf("api%d", i+1), "--listen", address)
	}
	for i := range 3 {
		w.node("worker", fmt.Sprintf("worker%d", i+1), "--concurrency", "2")
	}
	w.nodes[3].cmd = append(w.nodes[3].cmd, "--worker-name", "worker3") // two of the same name
	for i := range 2 {
		w.node("scheduler", fmt.Sprintf("scheduler%d", i+1))
	}
	return w.open()
}

// node adds a process, which is a machine of its own in its own eyes.
func (w *world) node(role, name string, args ...string) {
	dir := w.path(name)
	args = append([]string{role, "--data-dir", dir, "--url", w.front.url(), "--master-key-file", w.path("master.key"),
		"--worker-name", name, "--grace", "5s", "--sandbox-write", w.path("ledger"), "--provider-mirror", enginetest.NeedProviderMirror(w.t)}, args...)
	if w.database != "" {
		args = append(args, "--database-url", w.database, "--redis-url", w.redis.URL)
	}
	n := &node{name: name, role: role, dir: dir, cmd: append([]string{w.bin}, args...), log: w.path(name + ".log")}
	w.nodes = append(w.nodes, n)
}

// open starts all and signs in.
func (w *world) open() *world {
	w.t.Helper()
	for i, n := range w.nodes {
		n.start(w.t)
		if i == 0 {
			w.ready() // it makes the master key and the tables
		}
	}
	w.began = time.Now()
	token, err := client.New(w.front.url(), "").Login(w.t.Context(), "admin", password, "chaos")
	if err != nil {
		w.t.Fatal(err)
	}
	w.client, w.token = client.New(w.front.url(), token), token.Reveal()
	values := map[string]string{}
	for _, pair := range w.moto.Env() {
		if name, value, _ := strings.Cut(pair, "="); name == "AWS_ENDPOINT_URL" || strings.Contains(name, "KEY") {
			values[name] = value
		}
	}
	err = w.client.PutCredential(w.t.Context(), "moto", client.PutCredential{Cloud: string(engine.CloudAWS), Values: values})
	if err != nil {
		w.t.Fatal(err)
	}
	return w
}

// ready waits until the API is.
func (w *world) ready() {
	w.t.Helper()
	for tick, deadline := time.NewTicker(50*time.Millisecond), time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		res, err := http.Get(w.front.url() + "/readyz")
		if err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
	}
	w.t.Fatalf("not ready; logs are in %s", w.dir)
}

// heal ends what still goes wrong and brings everything up.
func (w *world) heal() {
	w.inFlight.Wait()
	w.ready()
}

// hurry ends what waits for runs that do not end.
func (w *world) hurry() { w.hurried() }

// end ends all processes. The logs stay where something was wrong.
func (w *world) end() {
	for _, n := range w.nodes {
		n.stop()
	}
	for _, p := range w.processes(isAny) {
		p.kill()
	}
	if w.t.Failed() {
		w.t.Logf("logs are in %s", w.dir)
		return
	}
	if err := os.RemoveAll(w.dir); err != nil {
		w.t.Log(err)
	}
}

// fail notes what must not be, and goes on.
func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// panics looks for what no fault excuses.
func (w *world) panics() {
	for _, n := range w.nodes {
		b, err := os.ReadFile(n.log)
		if err != nil {
			w.fail("%v", err)
		}
		for _, word := range []string{"panic:", "goroutine 1 [", "DATA RACE"} {
			if i := bytes.Index(b, []byte(word)); i >= 0 {
				w.fail("%s: %s", n.name, b[i:min(len(b), i+400)])
			}
		}
	}
}
