mock_provider "aws" {}

variables {
  name = "payments-api-key"
}

run "refuses_a_name_with_capitals" {
  command = plan

  variables {
    name = "API_KEY"
  }

  expect_failures = [var.name]
}

run "refuses_an_empty_value" {
  command = plan

  variables {
    value = ""
  }

  expect_failures = [var.value]
}

run "refuses_days_that_the_cloud_does_not_offer" {
  command = plan

  variables {
    recovery_days = 3
  }

  expect_failures = [var.recovery_days]
}

run "refuses_to_let_everyone_read" {
  command = plan

  variables {
    readers = ["*"]
  }

  expect_failures = [var.readers]
}
