mock_provider "google" {}

mock_provider "random" {}

variables {
  name = "payments-api"
}

run "makes_up_what_is_kept_secret" {
  assert {
    condition     = google_secret_manager_secret_version.this.secret_data == random_password.this.result
    error_message = "the secret is something else"
  }
  assert {
    condition     = google_secret_manager_secret.this.version_destroy_ttl == "604800s"
    error_message = "versions are gone after ${google_secret_manager_secret.this.version_destroy_ttl}"
  }
}

run "lets_those_read_who_are_named" {
  command = plan

  variables {
    readers = ["group:ops@example.com"]
  }

  assert {
    condition     = google_secret_manager_secret_iam_member.reader["group:ops@example.com"].role == "roles/secretmanager.secretAccessor"
    error_message = "readers may do something else"
  }
}

run "refuses_readers_that_are_no_members" {
  command = plan

  variables {
    readers = ["allUsers"]
  }

  expect_failures = [var.readers]
}
