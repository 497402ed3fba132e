package sandbox

import (
	"os"
	"os/exec"
	"testing"
)

// BenchmarkStart is what a child costs from its start to its end, by the walls
// around it: of them all, less that without, is what walls add to a command.
func BenchmarkStart(b *testing.B) {
	policies := map[string]Policy{"off": {}}
	for name, p := range kinds(b) {
		policies[name] = p
	}
	for name, policy := range policies {
		b.Run(name, func(b *testing.B) {
			own := b.TempDir()
			box, err := policy.Open(b.TempDir(), own)
			if err != nil {
				b.Fatal(err)
			}
			defer box.Close()
			name, value, err := Spec{Program: "/bin/true", Walls: box.Walls(Needs{Read: Programs(), Write: []string{own}, Tmp: own})}.Variable()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				cmd := exec.Command(os.Args[0])
				cmd.Env = []string{name + "=" + value}
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatal(err, string(out))
				}
			}
		})
	}
}
