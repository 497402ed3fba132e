mock_provider "azurerm" {}

variables {
  name = "example.com"
  records = [
    { name = "@", type = "MX", values = ["10 mail.example.com."] },
    { name = "www", type = "A", ttl = 60, values = ["192.0.2.10", "192.0.2.11"] },
  ]
  location = "westeurope"
}

run "answers_everyone" {
  command = plan

  assert {
    condition     = output.records == { "@ MX" = "example.com", "www A" = "www.example.com" }
    error_message = "records are ${jsonencode(output.records)}"
  }
  assert {
    condition     = one(azurerm_dns_mx_record.this["@ MX"].record).preference == "10" && azurerm_dns_mx_record.this["@ MX"].name == "@"
    error_message = "mail goes elsewhere"
  }
}

run "takes_values_apart" {
  command = plan

  variables {
    records = [
      { name = "_sip._tcp", type = "SRV", values = ["10 5 5060 sip.example.com."] },
      { name = "@", type = "CAA", values = ["0 issue \"letsencrypt.org; validationmethods=dns-01\""] },
    ]
  }

  assert {
    condition     = one(azurerm_dns_srv_record.this["_sip._tcp SRV"].record).port == 5060 && one(azurerm_dns_caa_record.this["@ CAA"].record).value == "letsencrypt.org; validationmethods=dns-01"
    error_message = "a value is taken apart wrongly"
  }
}

run "answers_networks_only_where_it_is_private" {
  command = plan

  variables {
    private     = true
    network_ids = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web"]
  }

  assert {
    condition     = length(azurerm_dns_zone.this) == 0 && length(azurerm_private_dns_zone_virtual_network_link.this) == 1 && length(azurerm_private_dns_a_record.this) == 1
    error_message = "the zone is public"
  }
  assert {
    condition     = length(output.name_servers) == 0
    error_message = "servers are ${jsonencode(output.name_servers)}"
  }
}

run "refuses_records_that_a_private_zone_cannot_have" {
  command = plan

  variables {
    private     = true
    network_ids = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web"]
    records     = [{ name = "sub", type = "NS", values = ["ns1.example.net."] }]
  }

  expect_failures = [azurerm_private_dns_zone.this]
}

run "refuses_a_private_zone_that_nobody_sees" {
  command = plan

  variables {
    private = true
  }

  expect_failures = [azurerm_private_dns_zone.this]
}

run "refuses_networks_of_a_public_zone" {
  command = plan

  variables {
    network_ids = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web"]
  }

  expect_failures = [azurerm_dns_zone.this]
}
