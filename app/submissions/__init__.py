"""One answer, from form to verdict. Start reading at `services.submit`.

views.create → services.submit → worker.claim_next → judge.job_for → sandbox → verdict.decide → services.record
"""
