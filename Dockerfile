# One image for the web processes, the workers and the beat; docker-compose.yml says who is who.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 BIND=0.0.0.0 TIERLINE_HOME=/var/lib/tierline STATIC_ROOT=/srv/static LOG_FORMAT=json
WORKDIR /srv/tierline

# Letters of every language for documents; without them others stand in Latin ones.
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*

COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt

COPY . .
RUN python -m compileall -q . \
 && python manage.py messages --compile \
 && python manage.py collectstatic --no-input -v 0 \
 && useradd --system --home-dir /var/lib/tierline --create-home tierline \
 && install -d -o tierline -m 700 /var/lib/tierline/mail /var/lib/tierline/files

USER tierline
EXPOSE 8000
CMD ["python", "-m", "config.serving"]
