variables {
  names = ["web-1", "db-1"]
}

run "makes_each_host_this_machine" {
  assert {
    condition     = [for h in output.hosts : h.address] == ["127.0.0.1", "127.0.0.1"]
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
  assert {
    condition     = alltrue([for h in output.hosts : h.vars.ansible_connection == "local"])
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
}

run "keeps_the_order_of_names" {
  assert {
    condition     = [for h in output.hosts : h.name] == ["web-1", "db-1"]
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
}

run "binds_each_host_to_its_resource" {
  assert {
    condition     = output.hosts[0].resource == "terraform_data.host[\"web-1\"]"
    error_message = "host is ${jsonencode(output.hosts[0])}"
  }
}

run "knows_new_hosts_before_apply" {
  command = plan

  variables {
    names = ["web-9"]
    vars  = { tier = "front" }
  }

  assert {
    condition     = output.hosts[0].name == "web-9" && output.hosts[0].vars.tier == "front"
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
}

run "refuses_a_name_given_twice" {
  command = plan

  variables {
    names = ["web-1", "web-1"]
  }

  expect_failures = [var.names]
}

run "refuses_a_name_that_no_inventory_takes" {
  command = plan

  variables {
    names = ["web 1"]
  }

  expect_failures = [var.names]
}
