mock_provider "aws" {}

variables {
  name       = "receipts"
  runtime    = "python3.12"
  handler    = "main.handle"
  source_zip = "tests/receipts.zip"
}

run "refuses_a_name_with_capitals" {
  command = plan

  variables {
    name = "Receipts"
  }

  expect_failures = [var.name]
}

run "refuses_a_runtime_it_does_not_know" {
  command = plan

  variables {
    runtime = "cobol85"
  }

  expect_failures = [var.runtime]
}

run "refuses_a_handler_without_a_function" {
  command = plan

  variables {
    handler = "main"
  }

  expect_failures = [var.handler]
}

run "refuses_code_that_is_not_there" {
  command = plan

  variables {
    source_zip = "tests/invoices.zip"
  }

  expect_failures = [var.source_zip]
}

run "refuses_code_that_is_no_zip_file" {
  command = plan

  variables {
    source_zip = "tests/plan.tftest.hcl"
  }

  expect_failures = [var.source_zip]
}

run "refuses_too_little_memory" {
  command = plan

  variables {
    memory_mb = 64
  }

  expect_failures = [var.memory_mb]
}

run "refuses_to_wait_for_longer_than_the_cloud_does" {
  command = plan

  variables {
    timeout_seconds = 901
  }

  expect_failures = [var.timeout_seconds]
}

run "refuses_a_variable_that_no_shell_could_have" {
  command = plan

  variables {
    environment = { "my-key" = "1" }
  }

  expect_failures = [var.environment]
}

run "refuses_days_that_the_cloud_does_not_offer" {
  command = plan

  variables {
    log_days = 31
  }

  expect_failures = [var.log_days]
}
