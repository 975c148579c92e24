"""The rings' own database: two threads wait for each other, as in production."""

import threading

from django.db import transaction

from hosts.models import Host
from tests.waiting import wait_for


def test_a_table_that_another_thread_writes_is_waited_for(transactional_db: None) -> None:
    written, enough = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            Host.objects.create(name="kvm-01", uri="test:///default")
            written.set()
            enough.wait(5)

    thread = threading.Thread(target=write)
    thread.start()
    wait_for(written.is_set)
    threading.Timer(0.1, enough.set).start()
    Host.objects.create(name="kvm-02", uri="test:///default")
    thread.join()
    assert Host.objects.count() == 2
