mock_provider "azurerm" {}

variables {
  name     = "payments-receipts"
  location = "westeurope"
}

run "closes_and_keeps_the_container" {
  command = plan

  assert {
    condition     = output.bucket_name == "payments-receipts"
    error_message = "container is ${output.bucket_name}"
  }
  assert {
    condition     = can(regex("^paymentsreceipts[0-9a-f]{8}$", azurerm_storage_account.this.name))
    error_message = "account is ${azurerm_storage_account.this.name}"
  }
  assert {
    condition     = azurerm_storage_container.this.container_access_type == "private" && !azurerm_storage_account.this.allow_nested_items_to_be_public
    error_message = "the container is open to the public"
  }
  assert {
    condition     = length(azurerm_management_lock.this) == 1
    error_message = "nothing keeps the account"
  }
}

run "refuses_a_key_that_nobody_may_use" {
  command = plan

  variables {
    encryption_key_id = "https://web.vault.azure.net/keys/main"
  }

  expect_failures = [azurerm_storage_account.this]
}
