mock_provider "azurerm" {}

mock_provider "random" {}

variables {
  name     = "payments-api"
  location = "westeurope"
}

run "makes_up_what_is_kept_secret" {
  command = plan

  assert {
    condition     = random_password.this.length == 40 && output.secret_name == "payments-api"
    error_message = "the secret is something else"
  }
  assert {
    condition     = can(regex("^payments-api-[0-9a-f]{8}$", azurerm_key_vault.this.name)) && azurerm_key_vault.this.purge_protection_enabled
    error_message = "vault is ${azurerm_key_vault.this.name}"
  }
}

run "lets_those_read_who_are_named" {
  command = plan

  variables {
    readers = ["11111111-2222-3333-4444-555555555555"]
  }

  assert {
    condition     = azurerm_key_vault_access_policy.reader["11111111-2222-3333-4444-555555555555"].secret_permissions == tolist(["Get"])
    error_message = "readers may do something else"
  }
}

run "refuses_readers_that_are_no_object_identifiers" {
  command = plan

  variables {
    readers = ["ada@example.com"]
  }

  expect_failures = [var.readers]
}
