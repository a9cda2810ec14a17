"""One Spark, on one core, with the catalog of a headrace server as its default."""

import os
from pathlib import Path

DEPS = Path(os.environ.get("HEADRACE_DEPS") or Path(__file__).resolve().parent.parent.parent / ".deps")


def java_home():
    """A Java that Spark runs on: JAVA_HOME, or Debian's."""
    if os.environ.get("JAVA_HOME"):
        return os.environ["JAVA_HOME"]
    for version in (17, 21):
        for home in sorted(Path("/usr/lib/jvm").glob(f"java-{version}-openjdk-*")):
            if (home / "bin" / "java").exists():
                return str(home)
    raise RuntimeError("Spark needs Java 17 or 21: run scripts/setup interop, or set JAVA_HOME")


def start(folder, catalog_uri):
    os.environ["JAVA_HOME"] = java_home()
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession
    settings = {
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -XX:+UseSerialGC",
        "spark.jars": f"{DEPS}/spark/iceberg-spark-runtime.jar",
        "spark.local.dir": str(folder),
        "spark.log.level": "ERROR",
        "spark.sql.catalog.headrace": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.headrace.type": "rest",
        "spark.sql.catalog.headrace.uri": catalog_uri,
        # Every query sees what the others have committed.
        "spark.sql.catalog.headrace.cache-enabled": "false",
        "spark.sql.defaultCatalog": "headrace",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": str(folder),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[1]").appName("interop")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
