package engine

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The lines in which Ansible names what it begins and how that ends on a host,
// as its default output has them in ansible-core 2.14 and later.
var banner, result = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(PLAY|TASK|RUNNING HANDLER|CLEANUP TASK)(?: \[(.*?)\])?( \[CHECK MODE\]| RECAP)? \*{3,}$`)
}), sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(ok|changed|skipping|fatal|failed): \[([^\]]+?)(?: -> [^\]]+)?\](?: =>)?( \(item=)?`)
})

// playLog is a play as its log tells it. What check mode prints is left out.
type playLog struct {
	p      *Progress
	check  bool              // the whole play changes nothing
	hosts  []string          // of the play, as far as they were named
	failed bool              // one of them has
	task   string            // that was begun last; empty for none
	vague  bool              // which hosts have the task is not known before they answer
	ended  map[string]bool   // hosts on which it has ended
	items  map[string]string // how its loop went on a host until now, which has no line of its own at the end
}

// readPlay reads how far a play came.
func readPlay(log io.Reader) *Progress {
	l := &playLog{p: &Progress{Play: true}}
	eachLine(log, l.take)
	l.leave()
	return l.p
}

func (l *playLog) take(line string) {
	if m := banner().FindStringSubmatch(line); m != nil {
		l.begin(m[1], m[2], strings.Contains(m[3], "CHECK"))
	} else if m := result().FindStringSubmatch(line); m != nil && l.task != "" {
		l.answer(m[1], m[2], m[3] != "")
	}
}

// begin takes a banner. That something else begins shows that the task before
// has ended where it looped.
func (l *playLog) begin(what, name string, check bool) {
	for _, host := range l.hosts {
		if status, loops := l.items[host]; loops && !l.ended[host] {
			l.end(status, host)
		}
	}
	l.task, l.ended, l.items = "", map[string]bool{}, map[string]string{}
	switch {
	case what == "PLAY":
		l.check, l.hosts, l.failed = check, nil, false
	case !check && !l.check:
		l.task, l.vague = name, what == "RUNNING HANDLER" || len(l.hosts) == 0 || l.failed
	}
}

// answer takes what a host says of the task, or of one item of its loop.
func (l *playLog) answer(status, host string, item bool) {
	if !slices.Contains(l.hosts, host) {
		l.hosts = append(l.hosts, host)
	}
	l.failed = l.failed || status == "fatal" || status == "failed"
	switch {
	case !item:
		l.end(status, host)
	case l.items[host] != "changed":
		l.items[host] = status
	}
}

// end notes the end of the task on a host. One that was skipped or failed has
// done nothing to rely on.
func (l *playLog) end(status, host string) {
	l.ended[host] = true
	switch status {
	case "ok":
		l.p.Finished = append(l.p.Finished, l.touched(host, ""))
	case "changed":
		l.p.Finished = append(l.p.Finished, l.touched(host, ActionUpdate))
	}
}

func (l *playLog) touched(host string, a Action) Touched {
	if host == "" {
		return Touched{Address: l.task, Task: l.task}
	}
	return Touched{Address: host + ": " + l.task, Action: a, Host: host, Task: l.task}
}

// leave notes where the last task is not known to have ended.
func (l *playLog) leave() {
	switch {
	case l.task == "":
	case l.vague:
		l.p.Unknown = []Touched{l.touched("", "")}
	default:
		for _, host := range l.hosts {
			if !l.ended[host] {
				l.p.Unknown = append(l.p.Unknown, l.touched(host, ""))
			}
		}
	}
}

// playLines tells in words how far a play came.
func (p *Progress) playLines() []string {
	lines := hostLines(p.Finished)
	if len(p.Unknown) > 0 {
		lines = append(lines, fmt.Sprintf("not known: whether task %q ended on %s", p.Unknown[0].Task, p.where()))
	}
	if len(lines) == 0 {
		return []string{"no task is known to have begun"}
	}
	return lines
}

// hostLines tells host by host what was finished there.
func hostLines(finished []Touched) (lines []string) {
	var hosts []string
	tasks, changed := map[string]int{}, map[string][]string{}
	for _, t := range finished {
		if tasks[t.Host]++; tasks[t.Host] == 1 {
			hosts = append(hosts, t.Host)
		}
		if t.Action == ActionUpdate {
			changed[t.Host] = append(changed[t.Host], t.Task)
		}
	}
	for _, host := range hosts[:min(len(hosts), told)] {
		lines = append(lines, "finished on "+host+": "+tasksDone(tasks[host], changed[host]))
	}
	if more := len(hosts) - told; more > 0 {
		lines = append(lines, fmt.Sprintf("finished on %d more hosts, which the log names", more))
	}
	return lines
}

func tasksDone(n int, changed []string) string {
	text := fmt.Sprintf("%d tasks", n)
	if n == 1 {
		text = "1 task"
	}
	if len(changed) > 0 {
		text += ", with changes by " + few(changed)
	}
	return text
}

// foundInPlay says what a plan after the interrupted run has to be read with.
func (p *Progress) foundInPlay(run string) string {
	switch {
	case len(p.Unknown) > 0:
		return fmt.Sprintf("run %s was at task %q on %s when it was interrupted; look whether it still runs there, and what it left", run, p.Unknown[0].Task, p.where())
	case p.Begun():
		return fmt.Sprintf("run %s before this one was interrupted in its play; each task that its log names had ended", run)
	}
	return fmt.Sprintf("run %s before this one was interrupted, and no log of it names a task: look whether anything of it was begun, or still runs", run)
}

// where names the hosts on which the last task is not known to have ended.
func (p *Progress) where() string {
	var hosts []string
	for _, t := range p.Unknown {
		if t.Host == "" {
			return "every host"
		}
		hosts = append(hosts, t.Host)
	}
	return few(hosts)
}

// few lists names, the first ten of them.
func few(names []string) string {
	const most = 10
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}
