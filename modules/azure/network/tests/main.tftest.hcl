mock_provider "azurerm" {
  mock_data "azurerm_location" {
    defaults = {
      zone_mappings = [
        { logical_zone = "1", physical_zone = "westeurope-az2" },
        { logical_zone = "2", physical_zone = "westeurope-az1" },
        { logical_zone = "3", physical_zone = "westeurope-az3" },
      ]
    }
  }
}

variables {
  name     = "payments"
  cidr     = "10.20.0.0/16"
  location = "westeurope"
}

run "makes_two_subnets_of_each_kind" {
  command = plan

  assert {
    condition     = length(output.public_subnet_ids) == 2 && length(output.private_subnet_ids) == 2
    error_message = "subnets are ${jsonencode([output.public_subnet_ids, output.private_subnet_ids])}"
  }
  assert {
    condition     = azurerm_subnet.private[0].address_prefixes == tolist(["10.20.128.0/20"])
    error_message = "the first private subnet is ${jsonencode(azurerm_subnet.private[0].address_prefixes)}"
  }
  assert {
    condition     = output.zones == tolist(["1", "2"])
    error_message = "zones are ${jsonencode(output.zones)}"
  }
}

run "lets_nothing_in_unasked" {
  command = plan

  assert {
    condition     = [for r in azurerm_network_security_group.this.security_rule : r.access] == ["Deny"]
    error_message = "rules are ${jsonencode(azurerm_network_security_group.this.security_rule)}"
  }
}

run "opens_a_port_to_each_block_named" {
  command = plan

  variables {
    ingress = [{ port = 22, cidrs = ["192.0.2.0/24", "198.51.100.0/24"] }]
  }

  assert {
    condition     = sort([for r in azurerm_network_security_group.this.security_rule : r.source_address_prefix if r.access == "Allow"]) == tolist(["192.0.2.0/24", "198.51.100.0/24"])
    error_message = "rules are ${jsonencode(azurerm_network_security_group.this.security_rule)}"
  }
}

run "sends_private_subnets_through_one_gateway" {
  command = plan

  variables {
    private_egress = true
  }

  assert {
    condition     = length(azurerm_nat_gateway.egress) == 1 && length(azurerm_subnet_nat_gateway_association.private) == 2
    error_message = "private subnets have no way out"
  }
}

run "refuses_more_zones_than_the_region_has" {
  command = plan

  variables {
    zones = 4
  }

  expect_failures = [azurerm_virtual_network.this]
}

run "refuses_to_guess_where_to_make_its_group" {
  command = plan

  variables {
    location = null
  }

  expect_failures = [azurerm_resource_group.own]
}
