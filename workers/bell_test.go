package workers

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestBellWakesListenersOfTheTopic(t *testing.T) {
	var b Bell
	one, stopOne := b.Listen("run:1")
	two, stopTwo := b.Listen("run:1")
	other, stopOther := b.Listen("run:2")
	defer stopTwo()
	defer stopOther()

	b.Ring("run:1")
	b.Ring("run:1") // before anybody listens: adds nothing

	within(t, "the ring", one)
	within(t, "the ring", two)
	if len(one)+len(two)+len(other) != 0 {
		t.Errorf("%d, %d and %d rings are left", len(one), len(two), len(other))
	}
	stopOne()
	stopOne() // a second time does no harm
	b.Ring("run:1")
	within(t, "the ring", two)
	if len(one) != 0 {
		t.Error("a listener who left was woken")
	}
}

func TestBellRingsInOtherProcesses(t *testing.T) {
	url := enginetest.Redis(t)
	here, there := bellOn(t, open(t, url)), bellOn(t, open(t, url))
	answered(t, here, there)
	mine, stopMine := here.Listen("topic with spaces")
	theirs, stopTheirs := there.Listen("topic with spaces")
	defer stopMine()
	defer stopTheirs()

	here.Ring("topic with spaces")

	within(t, "the ring in the other process", theirs)
	within(t, "the ring in this process", mine)
	there.Ring("topic with spaces")
	within(t, "the ring back", mine)
	if len(mine) != 0 {
		t.Error("a bell hears its own rings twice")
	}
}

// answered returns when a ring of from is heard by to, so that both are connected.
func answered(t *testing.T, from, to *Bell) {
	t.Helper()
	rings, stop := to.Listen("hello")
	defer stop()
	for range 100 {
		from.Ring("hello")
		select {
		case <-rings:
		case <-time.After(100 * time.Millisecond):
			continue
		}
		return
	}
	t.Fatal("the bells are not connected")
}

func TestBellOutlivesRedis(t *testing.T) {
	server := enginetest.NewRedisServer(t)
	here, there := bellOn(t, open(t, server.URL)), bellOn(t, open(t, server.URL))
	answered(t, here, there)
	answered(t, there, here)
	mine, stopMine := here.Listen("topic")
	theirs, stopTheirs := there.Listen("topic")
	defer stopMine()
	defer stopTheirs()
	server.Stop()

	before := time.Now()
	for range 1000 {
		here.Ring("topic")
	}

	if took := time.Since(before); took > time.Second {
		t.Errorf("ringing a thousand times without Redis took %s", took)
	}
	within(t, "the ring in this process", mine)
	server.Start(t)
	within(t, "the ring once Redis is back", theirs)
	answered(t, here, there)
}
