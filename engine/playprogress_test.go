package engine

import (
	"slices"
	"strings"
	"testing"
)

const checkedPlay = `
PLAY [web] [CHECK MODE] ********************************************************

TASK [Install] [CHECK MODE] ****************************************************
changed: [web-1]
changed: [web-2]

TASK [Ask] *********************************************************************
ok: [web-1]

PLAY RECAP *********************************************************************
web-1                      : ok=2    changed=1    unreachable=0    failed=0
`

const interruptedPlay = `
PLAY [web] *********************************************************************

TASK [Gathering Facts] *********************************************************
ok: [web-1]
ok: [web-2]

TASK [Users] *******************************************************************
ok: [web-1] => (item=ada)
changed: [web-1] => (item=bob)
changed: [web-2] => (item=ada)

TASK [Skip] ********************************************************************
skipping: [web-1]
skipping: [web-2]

TASK [Write the page] **********************************************************
--- before
+++ after
@@ -0,0 +1 @@
+ok: [web-9]
changed: [web-1 -> localhost]
`

func tasks(list []Touched) (names []string) {
	for _, t := range list {
		names = append(names, t.Address+" "+string(t.Action))
	}
	return names
}

func TestProgressOfAPlayIsReadFromItsLog(t *testing.T) {
	const play, task, handler, stars = "PLAY [web] ", "TASK [Restart] ", "RUNNING HANDLER [Restart] ", "*****\n"
	done := []string{"web-1: Gathering Facts ", "web-2: Gathering Facts ", "web-1: Users update", "web-2: Users update", "web-1: Write the page update"}
	tests := map[string]struct {
		log               string
		finished, unknown []string
	}{
		"nothing at all":                    {},
		"only what check mode says":         {log: checkedPlay},
		"in the middle of a task":           {log: checkedPlay + interruptedPlay, finished: done, unknown: []string{"web-2: Write the page "}},
		"in a loop":                         {log: interruptedPlay + task + stars + "changed: [web-1] => (item=1)\nok: [web-2]\n", finished: append(slices.Clone(done), "web-2: Restart "), unknown: []string{"web-1: Restart "}},
		"in a handler, which not all have":  {log: interruptedPlay + handler + stars + "changed: [web-1]\n", finished: append(slices.Clone(done), "web-1: Restart update"), unknown: []string{"Restart "}},
		"after a host failed":               {log: interruptedPlay + "fatal: [web-2]: FAILED! => \n" + task + stars, finished: done, unknown: []string{"Restart "}},
		"in the first task of a play":       {log: play + stars + task + stars + "ok: [web-1]\n", finished: []string{"web-1: Restart "}, unknown: []string{"Restart "}},
		"at its end":                        {log: interruptedPlay + "changed: [web-2]\n\nPLAY RECAP " + stars, finished: append(slices.Clone(done), "web-2: Write the page update")},
		"in a task that only checks anyway": {log: interruptedPlay + "TASK [Look] [CHECK MODE] " + stars + "changed: [web-1]\n", finished: done},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := readPlay(strings.NewReader(tt.log))
			if got := tasks(p.Finished); !slices.Equal(got, tt.finished) {
				t.Errorf("finished: %q", got)
			}
			if got := tasks(p.Unknown); !slices.Equal(got, tt.unknown) {
				t.Errorf("not known: %q", got)
			}
		})
	}
}

func TestProgressOfAPlayInWords(t *testing.T) {
	p := readPlay(strings.NewReader(checkedPlay + interruptedPlay))
	want := []string{
		"finished on web-1: 3 tasks, with changes by Users, Write the page",
		"finished on web-2: 2 tasks, with changes by Users",
		`not known: whether task "Write the page" ended on web-2`,
	}
	if got := p.Lines(); !slices.Equal(got, want) {
		t.Errorf("lines: %q", got)
	}
	for log, want := range map[string]string{
		interruptedPlay:                        `run run-1 was at task "Write the page" on web-2 when it was interrupted`,
		interruptedPlay + "changed: [web-2]\n": "each task that its log names had ended",
		checkedPlay:                            "no log of it names a task",
	} {
		if notes := readPlay(strings.NewReader(log)).found("run-1", nil); len(notes) != 1 || !strings.Contains(notes[0], want) {
			t.Errorf("notes %q do not say %q", notes, want)
		}
	}
	if got := readPlay(strings.NewReader(checkedPlay)).Lines(); !slices.Equal(got, []string{"no task is known to have begun"}) {
		t.Errorf("lines of what had not begun: %q", got)
	}
}
