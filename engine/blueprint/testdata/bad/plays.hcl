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

ansible "unpinned" {
  playbook = "playbooks/baseline"
  inventory {
    group "all" {
      hosts = [{ name = "web-1", address = "10.0.0.1", vars = { ansible_ssh_host_key_checking = false } }] # ERROR: Unusable hosts
      vars = {
        ansible_host_key_checking = false # ERROR: Unusable variable
        ansible_ssh_args          = "-C"  # ERROR: Unusable variable
        ansible_ssh_executable    = "dbclient" # ERROR: Unusable variable
        ansible_ssh_common_args   = "-o ProxyJump=bastion -o HostKeyAlgorithms=+ssh-rsa"
        ansible_ssh_extra_args    = "-o stricthostkeychecking no" # ERROR: Unusable variable
        ansible_sftp_extra_args   = "-oUserKnown\"\"HostsFile=/dev/null" # ERROR: Unusable variable
        ansible_scp_extra_args    = ["-o", "GlobalKnownHostsFile=/dev/null"] # ERROR: Unusable variable
      }
    }
  }
  vars = {
    ansible_ssh_common_args = "-o ProxyCommand='ssh -W %h:%p -o StrictHostKeyChecking=no bastion'" # ERROR: Unusable variable
  }
}
