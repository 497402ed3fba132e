stack "Pay ments" { # ERROR: Unusable stack name
  descripton = "x" # ERROR: Unsupported argument
  approval {
    approvals    = 1.5         # ERROR: Out of range
    roles        = ["aprover"] # ERROR: Unknown role
    auto_approve = "alway"     # ERROR: Unknown choice
    expires      = "3 days"    # ERROR: Unusable duration
    not_author   = "perhaps"   # ERROR: Wrong type
    class "destory" {          # ERROR: Unknown class
      approvals = 2
    }
    class "destroy" {
      approvals = 0          # ERROR: Out of range
      roles     = ["viewer"] # ERROR: Unknown role
    }
    class "destroy" { # ERROR: Duplicate class
      approvals = 2
    }
  }
  freeze {
    window "a" {
      from = "Fri 16:00" # ERROR: Unusable window
      to   = "2026-12-18"
    }
    window "a" { # ERROR: Duplicate window
      from     = "Fri 16:00"
      to       = "Mon 07:00"
      timezone = "UTC"
    }
    window "b" { # ERROR: Missing to
      from = "Fri 16:00"
    }
    window "c" {
      from = "Fry 16:00" # ERROR: Unusable window
      to   = "Mon 07:00"
    }
  }
  approval {} # ERROR: Second approval block
  drift {
    schedule = "every 6h"                # ERROR: Unusable schedule
    timezone = "Europe/Zürich"           # ERROR: Unknown time zone
    ignore   = ["terraform.nowhere:a.b"] # ERROR: Unknown component
  }
}

stack "two" {} # ERROR: Second stack block

terrafrom "x" {} # ERROR: Unsupported block type

terraform {} # ERROR: Missing name for terraform

terraform "a" { # ERROR: Missing source
  inputs = {}
}

terraform "a" { # ERROR: Duplicate component
  source = "modules/local/greeting"
}

terraform "1a" { # ERROR: Unusable name
  source = "modules/local/greeting"
}

terraform "many" {
  source   = "modules/local/greeting"
  count    = 2 # ERROR: No such argument
}

variable "v" {
  type    = number
  default = "five" # ERROR: Unusable default
}

variable "w" {
  type = strin # ERROR: Invalid type specification
  default = 1
}

variable "v" {} # ERROR: Duplicate variable

variable "needed" {} # ERROR: Missing variable

output "o" {} # ERROR: Missing required argument
