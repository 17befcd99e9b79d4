#!/bin/sh
# Replays Italy's load of 2021, a day a second, over and over. Each run is a zone of its own, named after its start:
# what a zone has had is over for the consumer, so that the same hours of the same zone would be late at a second
# `docker compose up`, whatever the topic still holds of the first.
stopped=
pid=
trap 'stopped=yes; [ -z "$pid" ] || kill -TERM "$pid"' TERM INT

while [ -z "$stopped" ]; do
    python -m producer data/italy_load_2015_2021.csv --zone "IT-$(date -u +%Y%m%d-%H%M%S)" --demand-column load_mw \
        --time-zone Europe/Rome --since 2021-01-01 --until 2022-01-01 --speed 24 &
    pid=$!
    wait "$pid"
    status=$?
    # A signal ends the wait before the producer has ended.
    [ -z "$stopped" ] || wait "$pid"
    [ -n "$stopped" ] || [ "$status" -eq 0 ] || exit "$status"
done
