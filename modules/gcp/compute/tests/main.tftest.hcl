mock_provider "google" {
  mock_data "google_compute_zones" {
    defaults = { names = ["europe-west1-b", "europe-west1-c", "europe-west1-d"] }
  }
}

variables {
  name           = "web"
  instance_count = 2
  subnet_ids     = ["projects/my-project/regions/europe-west1/subnetworks/web-private-1"]
}

run "makes_hosts_for_an_inventory" {
  assert {
    condition     = [for h in output.hosts : h.name] == ["web-1", "web-2"]
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
  assert {
    condition     = output.hosts[1].resource == "google_compute_instance.this[1]" && output.hosts[1].user == "ubuntu"
    error_message = "host is ${jsonencode(output.hosts[1])}"
  }
  assert {
    condition     = google_compute_instance.this[0].zone != google_compute_instance.this[1].zone
    error_message = "both machines are in ${google_compute_instance.this[0].zone}"
  }
  assert {
    condition     = length(output.public_ips) == 0
    error_message = "the machines are public"
  }
}

run "lets_in_who_has_the_key" {
  command = plan

  variables {
    user           = "ops"
    ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBcOjkTh5IJNEGsHEa3rLzC0KdPzzGkaVjVnYlLHsZ4y ada@example.com"
  }

  assert {
    condition     = startswith(google_compute_instance.this[0].metadata["ssh-keys"], "ops:ssh-ed25519 ")
    error_message = "keys are ${google_compute_instance.this[0].metadata["ssh-keys"]}"
  }
}

run "refuses_a_size_it_does_not_know" {
  command = plan

  variables {
    size = "gigantic"
  }

  expect_failures = [var.size]
}
