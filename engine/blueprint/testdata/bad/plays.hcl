stack "plays" {}

ansible "none" { # ERROR: Missing playbook
}

ansible "gone" {
  playbook   = "./playbooks/wbe.yml" # ERROR: Unknown playbook
  on_destroy = "playbooks/bseline"   # ERROR: Unknown playbook
}

ansible "outside" {
  playbook = "/etc/site.yml" # ERROR: Unusable playbook
}

ansible "hosts" {
  playbook = "playbooks/baseline"
  inventory {
    group "nothing" { # ERROR: Missing hosts
    }
    group "no-dash" { # ERROR: Unusable name
      hosts = []
    }
    group "address" {
      hosts = [{ name = "web-1" }] # ERROR: Unusable hosts
    }
    group "port" {
      hosts = [{ name = "web-1", address = "10.0.0.1", port = "ssh" }] # ERROR: Unusable hosts
    }
    group "text" {
      hosts = "10.0.0.1" # ERROR: Unusable hosts
    }
    group "twice" {
      hosts = ["10.0.0.1", "10.0.0.1"] # ERROR: Unusable hosts
    }
    group "keyless" {
      hosts = [{ name = "web-1", address = "10.0.0.1", host_keys = ["none"] }] # ERROR: Unusable hosts
    }
    group "text" { # ERROR: Duplicate group
      hosts = []
    }
    hosts = [] # ERROR: Unsupported argument
  }
  ready {
    port    = 70000 # ERROR: Out of range
    timeout = "0s"  # ERROR: Unusable duration
  }
}
