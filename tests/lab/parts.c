/* Makes libvirtd behave as virtqemud does towards its clients: loaded into it by LD_PRELOAD (tests/lab/host.py).

   What storage, networks and node devices are asked goes to a daemon of its own: virtstoraged, virtnetworkd,
   virtnodedevd. It runs while its socket is there, here an empty file. One that is away is tried anew with each call;
   a connection clings to the one that it has found first, and is told that it is closed once that has ended, also when
   another runs. So virtqemud 11.3 did. With LAB_LIBVIRT the host says that it has this version of libvirt. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RPC = 7, INTERNAL_ERROR = 1, SYSTEM_ERROR = 38, PARTS = 3, MOST = 4096 };

typedef unsigned long long serial;
typedef void reporter(int, int, const char *, const char *, size_t, const char *, ...);

static const char *const names[PARTS] = {"virtstoraged", "virtnetworkd", "virtnodedevd"};
static struct { void *connection; serial found[PARTS]; } known[MOST];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static serial running(int part) {
    char path[64];
    struct stat is;
    snprintf(path, sizeof path, "/run/libvirt/%s-sock", names[part]);
    return stat(path, &is) ? 0 : (serial)is.st_ctim.tv_sec * 1000000000ULL + (serial)is.st_ctim.tv_nsec;
}

static int place(void *connection) {
    int at = 0;
    while (at < MOST - 1 && known[at].connection && known[at].connection != connection) at++;
    known[at].connection = connection;
    return at;
}

/* Whether this connection reaches the part; reports what libvirt does where not. */
static int reaches(void *connection, int part) {
    reporter *report = (reporter *)dlsym(RTLD_NEXT, "virReportErrorHelper");
    pthread_mutex_lock(&lock);
    serial now = running(part), *found = &known[place(connection)].found[part];
    int is_closed = *found && *found != now;
    if (!*found) *found = now;
    pthread_mutex_unlock(&lock);
    if (is_closed)
        report(RPC, INTERNAL_ERROR, __FILE__, __func__, __LINE__, "%s", "client socket is closed");
    else if (!now)
        report(RPC, SYSTEM_ERROR, __FILE__, __func__, __LINE__,
               "Failed to connect socket to '/var/run/libvirt/%s-sock': %s", names[part], strerror(ENOENT));
    return now && !is_closed;
}

void *virConnectOpenAuth(const char *name, void *auth, unsigned int flags) {
    void *(*real)(const char *, void *, unsigned int) = dlsym(RTLD_NEXT, "virConnectOpenAuth");
    void *connection = real(name, auth, flags);
    pthread_mutex_lock(&lock);
    if (connection) memset(known[place(connection)].found, 0, sizeof known[0].found);
    pthread_mutex_unlock(&lock);
    return connection;
}

int virConnectGetLibVersion(void *connection, unsigned long *version) {
    int (*real)(void *, unsigned long *) = dlsym(RTLD_NEXT, "virConnectGetLibVersion");
    const char *told = getenv("LAB_LIBVIRT");
    int answer = real(connection, version);
    if (told) *version = strtoul(told, NULL, 10);
    return answer;
}

/* The calls that ask a part, each with the rest of what it is given. */
#define ASKS(part, type, refused, name, taken, given) \
    type name taken { \
        type(*real) taken = dlsym(RTLD_NEXT, #name); \
        return reaches(connection, part) ? real given : refused; \
    }
#define LISTS(part, name) ASKS(part, int, -1, name, (void *connection, void *all, unsigned int flags), (connection, all, flags))
#define COUNTS(part, name) ASKS(part, int, -1, name, (void *connection), (connection))
#define FINDS(part, name) ASKS(part, void *, NULL, name, (void *connection, const void *which), (connection, which))
#define HEARS(part, name) \
    ASKS(part, int, -1, name, (void *connection, void *of, int event, void *tell, void *opaque, void *let_go), \
         (connection, of, event, tell, opaque, let_go))

LISTS(0, virConnectListAllStoragePools)
FINDS(0, virStoragePoolLookupByUUID)
FINDS(0, virStoragePoolLookupByName)
HEARS(0, virConnectStoragePoolEventRegisterAny)
ASKS(0, char *, NULL, virConnectGetStoragePoolCapabilities, (void *connection, unsigned int flags), (connection, flags))
LISTS(1, virConnectListAllNetworks)
COUNTS(1, virConnectNumOfNetworks)
FINDS(1, virNetworkLookupByUUID)
FINDS(1, virNetworkLookupByName)
HEARS(1, virConnectNetworkEventRegisterAny)
LISTS(2, virConnectListAllNodeDevices)
ASKS(2, int, -1, virNodeNumOfDevices, (void *connection, const char *kind, unsigned int flags), (connection, kind, flags))
HEARS(2, virConnectNodeDeviceEventRegisterAny)
