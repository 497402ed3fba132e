package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine/sandbox/shim"
)

// Mode says what to do about walls.
type Mode string

// The modes.
const (
	Off     Mode = "off"
	Auto    Mode = "auto"    // as far as this machine can
	Require Mode = "require" // or no child starts
)

// The versions of Landlock's interface that walls need. Ours take all of them;
// before landlockPart none can be built, since Terraform could not move files
// within them. Source: https://docs.kernel.org/userspace-api/landlock.html.
const (
	landlockPart  = shim.LandlockPart // Linux 5.19
	landlockWhole = 3                 // Linux 6.2
	landlockNet   = 4                 // Linux 6.7
	landlockScope = 6                 // Linux 6.12
)

// Policy is what an operator wants of walls, for all steps of a worker. It
// travels as JSON from the worker to its runners. The zero value builds none.
type Policy struct {
	Mode    Mode     `json:"mode"`
	Limits  Limits   `json:"limits"`
	Users   Users    `json:"users"`   // one of them for each step; see Survey
	Read    []string `json:"read"`    // besides what a step needs
	Write   []string `json:"write"`   // likewise
	Connect []int    `json:"connect"` // likewise
	// Closed is what no step sees of the folders that it may read: where the
	// operator's secrets lie. Links in it are followed.
	Closed []string `json:"closed"`
	// Shut are TCP ports that no stack opens by itself: those of the server's own
	// services, which trust whoever reaches them more than a step.
	Shut []int `json:"shut"`
	// Bubblewrap is found by Survey.
	Bubblewrap string `json:"bubblewrap"`
}

// Survey is what can be had of the policy on this machine, and what cannot, in
// words for a log. The error is for a mode that there is not, and for walls
// that are required and cannot be had.
func (p Policy) Survey(self string) (had Policy, lacks []string, err error) {
	return p.survey(machine{
		landlock: shim.LandlockVersion(), seccomp: shim.JudgesCalls(), root: os.Geteuid() == 0,
		bubblewrap: func() (string, error) { return findBubblewrap(self) },
		locks:      func() error { return os.MkdirAll(usersDir, 0o700) },
	})
}

// machine is what walls are built from.
type machine struct {
	landlock   int
	seccomp    bool
	root       bool
	bubblewrap func() (string, error)
	locks      func() error // makes the folder for those of users
}

func (p Policy) survey(m machine) (Policy, []string, error) {
	switch p.Mode {
	case "", Off:
		return Policy{Mode: Off}, nil, nil
	case Auto, Require:
	default:
		return p, nil, fmt.Errorf("there is no mode %q; it is off, auto or require", p.Mode)
	}
	if p.Mode == Require && (m.landlock < landlockScope || !m.seccomp) {
		return p, nil, fmt.Errorf("walls are required, and this system has %s where Landlock %d is needed, as in Linux 6.12, and seccomp; use auto for what can be had, or off", spoken(m.landlock), landlockScope)
	}
	if err := p.Users.check(); err != nil {
		return p, nil, err
	}
	opened := strings.Join(p.opened(), " and ")
	if p.Mode == Require && opened != "" {
		return p, nil, fmt.Errorf("walls are required, and %s, which steps may write to, has the server's own data or keys; name folders beside them", opened)
	}
	lacks := lacking(m.landlock)
	if opened != "" {
		lacks = append(lacks, "the server's own data or keys, for steps may write to "+opened)
	}
	if !m.seccomp {
		lacks = append(lacks, "system calls, which this kernel or machine cannot judge")
	}
	var err error
	if p.Bubblewrap, err = m.bubblewrap(); err != nil {
		switch {
		case p.Mode != Require:
		case !errors.Is(err, errNoBubblewrap):
			return p, nil, fmt.Errorf("walls are required, and %w; remove it, or use auto for what can be had", err)
		case m.root: // to which systemd and Docker listen
			return p, nil, fmt.Errorf("walls are required, and a worker of root needs namespaces for its steps, since Unix sockets lead root out of all other walls: %w; or run the worker by another user", err)
		}
		lacks = append(lacks, "namespaces, without which steps reach the Unix sockets that the worker's user may: "+err.Error())
	}
	if why := p.noUsers(m); why != "" {
		p.Users = Users{}
		lacks = append(lacks, "a user of its own for each step: "+why)
	}
	if p.Bubblewrap == "" || m.root && p.Users == (Users{}) { // it would count what else the user runs, or is none for root
		p.Limits.Processes = 0
		lacks = append(lacks, "a limit on processes")
	}
	return p, lacks, nil
}

// noUsers is why steps can have no users of their own; "" where they can.
func (p Policy) noUsers(m machine) string {
	switch {
	case p.Users == (Users{}):
		return "--sandbox-users names none"
	case !m.root || p.Bubblewrap == "":
		return "that takes a worker of root, and namespaces"
	case len(p.Write) > 0:
		return "they share folders to write to"
	}
	if err := m.locks(); err != nil {
		return err.Error()
	}
	return ""
}

// lacking lists what the kernel's Landlock does not hold.
func lacking(version int) (lacks []string) {
	if version < landlockPart {
		lacks = append(lacks, "files: this system has "+spoken(version))
	}
	if version < landlockNet {
		lacks = append(lacks, "TCP, which takes Linux 6.7")
	}
	if version < landlockScope {
		lacks = append(lacks, "signals and abstract sockets, which take Linux 6.12")
	}
	return lacks
}

func spoken(version int) string {
	if version == 0 {
		return "no Landlock"
	}
	return fmt.Sprintf("Landlock %d", version)
}

// String says what walls of the policy hold around any step.
func (p Policy) String() string {
	if !p.up() {
		return "none"
	}
	w := p.Walls(nil, nil, nil)
	w.User = p.Users.First
	return strings.Join(w.holds(shim.LandlockVersion(), w.ports()+" and the step's endpoints"), ", ")
}

// up reports whether the policy builds walls.
func (p Policy) up() bool { return p.Mode == Auto || p.Mode == Require }

// Walls are those of the policy around a child that needs to read and write
// some paths, and to connect to some TCP ports.
func (p Policy) Walls(read, write []string, connect []int) Walls {
	if !p.up() {
		return Walls{}
	}
	return Walls{
		Mode: p.Mode, Limits: p.Limits, Bubblewrap: p.Bubblewrap,
		Read:    except(slices.Concat(system, read, p.Read), p.Closed),
		Write:   slices.Concat(write, p.Write),
		Connect: slices.Concat([]int{443, 53}, connect, p.Connect),
	}
}

var errNoBubblewrap = errors.New("bubblewrap is not installed, as by: apt-get install bubblewrap")

// findBubblewrap gives the path of a bubblewrap that works here.
func findBubblewrap(self string) (string, error) {
	path, err := exec.LookPath("bwrap")
	if errors.Is(err, exec.ErrNotFound) {
		return "", errNoBubblewrap
	}
	if err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp("", "cloudops-walls-") // in which it makes places for what it binds
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	w := shim.Walls{Read: append(slices.Clone(system), self), Tmp: tmp}
	args := append(w.Wrapping(self, os.Geteuid() == 0), "/bin/true")
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		said, _, _ := strings.Cut(string(out), "\n")
		return "", fmt.Errorf("bubblewrap does not work here: %s (%w)", said, err)
	}
	return path, nil
}
