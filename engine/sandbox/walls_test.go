package sandbox

import "testing"

func TestWallsThatAreRequiredAreHadOrNothingStarts(t *testing.T) {
	tests := map[string]struct {
		mode    Mode
		version int
		holds   string // empty for an error
	}{
		"required, without Landlock":           {Require, 0, ""},
		"required, with the first Landlock":    {Require, 1, ""},
		"required, with half of what it takes": {Require, 2, ""},
		"required and there":                   {Require, 3, "files"},
		"required and more than there":         {Require, 7, "files"},
		"as can be, without Landlock":          {Auto, 0, "nothing: this system has no Landlock"},
		"as can be, with the first Landlock":   {Auto, 1, "nothing: this system has Landlock 1"},
		"as can be, in part":                   {Auto, 2, "files, but for cutting them short"},
		"as can be, whole":                     {Auto, 3, "files"},
		"off":                                  {Off, 7, "nothing"},
		"not asked for":                        {"", 7, "nothing"},
		"a mode that there is not":             {"required", 7, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			holds, err := check(tt.mode, tt.version)
			if holds != tt.holds || (err == nil) != (tt.holds != "") {
				t.Errorf("holds %q, error %v", holds, err)
			}
		})
	}
}
