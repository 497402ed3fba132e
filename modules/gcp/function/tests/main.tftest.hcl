mock_provider "google" {
  mock_data "google_client_config" {
    defaults = { project = "my-project", region = "europe-west1" }
  }
}

variables {
  name       = "thumbnails"
  runtime    = "python3.12"
  handler    = "main.handle"
  source_zip = "tests/code.zip"
}

run "is_called_by_nobody_unasked" {
  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY" && output.url == null
    error_message = "the function is public"
  }
  assert {
    condition     = google_cloudfunctions2_function.this.build_config[0].entry_point == "handle"
    error_message = "the function calls ${google_cloudfunctions2_function.this.build_config[0].entry_point}"
  }
  assert {
    condition     = google_cloudfunctions2_function.this.build_config[0].environment_variables["GOOGLE_FUNCTION_SOURCE"] == "main.py"
    error_message = "the function runs another file"
  }
}

run "lets_everyone_call_it_where_it_is_public" {
  command = plan

  variables {
    public = true
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.public[0].member == "allUsers"
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
