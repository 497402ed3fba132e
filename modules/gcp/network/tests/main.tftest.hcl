mock_provider "google" {
  mock_data "google_compute_zones" {
    defaults = { names = ["europe-west1-b", "europe-west1-c", "europe-west1-d"] }
  }
}

variables {
  name = "payments"
  cidr = "10.20.0.0/16"
}

run "makes_two_subnets_of_each_kind" {
  assert {
    condition     = length(output.public_subnet_ids) == 2 && length(output.private_subnet_ids) == 2
    error_message = "subnets are ${jsonencode([output.public_subnet_ids, output.private_subnet_ids])}"
  }
  assert {
    condition     = google_compute_subnetwork.private[0].ip_cidr_range == "10.20.128.0/20"
    error_message = "the first private subnet is ${google_compute_subnetwork.private[0].ip_cidr_range}"
  }
  assert {
    condition     = output.security_group_id == "payments"
    error_message = "tag is ${output.security_group_id}"
  }
}

run "lets_nothing_in_unasked" {
  assert {
    condition     = length(google_compute_firewall.ingress) == 0 && one(google_compute_firewall.closed.deny).protocol == "all"
    error_message = "rules are ${jsonencode(keys(google_compute_firewall.ingress))}"
  }
}

run "opens_a_port_to_each_block_named" {
  command = plan

  variables {
    ingress = [{ port = 22, cidrs = ["192.0.2.0/24", "198.51.100.0/24"] }]
  }

  assert {
    condition     = keys(google_compute_firewall.ingress) == ["tcp-22-192.0.2.0/24", "tcp-22-198.51.100.0/24"]
    error_message = "rules are ${jsonencode(keys(google_compute_firewall.ingress))}"
  }
  assert {
    condition     = alltrue([for f in google_compute_firewall.ingress : f.target_tags == toset(["payments"])])
    error_message = "a rule holds for other machines as well"
  }
}

run "sends_private_subnets_through_one_gateway" {
  variables {
    private_egress = true
  }

  assert {
    condition     = length(google_compute_router_nat.egress) == 1
    error_message = "private subnets have no way out"
  }
}

run "refuses_more_zones_than_the_region_has" {
  command = plan

  variables {
    zones = 4
  }

  expect_failures = [google_compute_network.this]
}
