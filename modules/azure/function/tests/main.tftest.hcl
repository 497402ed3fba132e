mock_provider "azurerm" {}

variables {
  name       = "thumbnails"
  runtime    = "python3.12"
  handler    = "main.handle"
  source_zip = "tests/code.zip"
  location   = "westeurope"
}

run "is_called_by_nobody_unasked" {
  command = plan

  assert {
    condition     = !azurerm_linux_function_app.this.public_network_access_enabled && output.url == null
    error_message = "the function is public"
  }
  assert {
    condition     = azurerm_linux_function_app.this.site_config[0].application_stack[0].python_version == "3.12"
    error_message = "the function runs something else"
  }
  assert {
    condition     = azurerm_linux_function_app.this.app_settings["AzureFunctionsJobHost__functionTimeout"] == "00:00:30"
    error_message = "the function has another timeout"
  }
}

run "lets_everyone_call_it_where_it_is_public" {
  command = plan

  variables {
    public = true
  }

  assert {
    condition     = azurerm_linux_function_app.this.public_network_access_enabled
    error_message = "nobody may call it"
  }
}

run "refuses_code_that_is_not_there" {
  command = plan

  variables {
    source_zip = "tests/nowhere.zip"
  }

  expect_failures = [var.source_zip]
}
