mock_provider "azurerm" {}

mock_provider "random" {}

variables {
  name       = "orders"
  network_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web"
  subnet_ids = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web/subnets/private-1"]
  location   = "westeurope"
}

run "serves_postgres_in_the_network_only" {
  command = plan

  assert {
    condition     = output.port == 5432 && output.username == "app"
    error_message = "port is ${output.port}"
  }
  assert {
    condition     = !azurerm_postgresql_flexible_server.this[0].public_network_access_enabled
    error_message = "the server is public"
  }
  assert {
    condition     = azurerm_postgresql_flexible_server.this[0].storage_mb == 32768
    error_message = "storage is ${azurerm_postgresql_flexible_server.this[0].storage_mb}"
  }
  assert {
    condition     = length(azurerm_mysql_flexible_server.this) == 0 && length(azurerm_management_lock.this) == 1
    error_message = "there is a second server, or no lock"
  }
}

run "serves_mysql" {
  command = plan

  variables {
    engine = "mysql"
  }

  assert {
    condition     = output.port == 3306 && azurerm_mysql_flexible_server.this[0].public_network_access == "Disabled"
    error_message = "port is ${output.port}"
  }
}

run "refuses_a_second_server_of_a_size_that_has_none" {
  command = plan

  variables {
    high_availability = true
  }

  expect_failures = [random_password.this]
}
